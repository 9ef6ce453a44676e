package awsxray

import "go.opentelemetry.io/collector/component"

// Config has the keys of ADOT's awsxray exporter, no more and no fewer, and
// like ADOT's checks none of the values, so that a configuration which starts
// with one starts with the other. Fields that are marked "accepted" change
// nothing here.
type Config struct {
	// NumWorkers is how many idle connections are kept; 0 is Go's default of 2.
	// Nothing is sent at once because of it: that is for the queue before.
	NumWorkers int `mapstructure:"num_workers"`
	// Endpoint replaces AWS_ENDPOINT_URL and the public address of the region.
	// AWS_ENDPOINT_URL_XRAY wins over all of them.
	Endpoint string `mapstructure:"endpoint"`
	// RequestTimeoutSeconds bounds each attempt of a request; 0 is no bound.
	// From 5 on the limit for the whole batch comes first (newTraces).
	RequestTimeoutSeconds int `mapstructure:"request_timeout_seconds"`
	// MaxRetries is, against its name, how often a request is sent altogether;
	// 0 is the default of the AWS SDK, which is 3, and below 0 is no bound.
	MaxRetries int `mapstructure:"max_retries"`
	// NoVerifySSL switches off the check of the server's certificate.
	NoVerifySSL bool `mapstructure:"no_verify_ssl"`
	// ProxyAddress is the URL of an HTTP proxy. Empty: HTTPS_PROXY as usual.
	ProxyAddress string `mapstructure:"proxy_address"`
	// Region of the service. Empty: AWS_REGION or the shared configuration.
	Region string `mapstructure:"region"`
	// LocalMode is accepted: instance metadata is never asked for a region.
	LocalMode bool `mapstructure:"local_mode"`
	// ResourceARN is accepted: it only labels the exporter's own telemetry.
	ResourceARN string `mapstructure:"resource_arn"`
	// RoleARN is a role to assume before sending, for instance of another account.
	RoleARN string `mapstructure:"role_arn"`
	// ExternalID goes with RoleARN.
	ExternalID string `mapstructure:"external_id"`
	// IndexedAttributes become annotations, which X-Ray can search.
	// Attributes of the resource are named with the prefix "otel.resource.".
	IndexedAttributes []string `mapstructure:"indexed_attributes"`
	// IndexAllAttributes makes an annotation of every attribute that can be one.
	IndexAllAttributes bool `mapstructure:"index_all_attributes"`
	// LogGroupNames link segments to logs whose resource names no log groups.
	LogGroupNames []string `mapstructure:"aws_log_groups"`
	// Telemetry is accepted: nothing is sent to PutTelemetryRecords.
	Telemetry TelemetryConfig `mapstructure:"telemetry"`
}

// TelemetryConfig describes the exporter's own telemetry records.
type TelemetryConfig struct {
	Enabled         bool           `mapstructure:"enabled"`
	IncludeMetadata bool           `mapstructure:"include_metadata"`
	Contributors    []component.ID `mapstructure:"contributors"`
	Hostname        string         `mapstructure:"hostname"`
	InstanceID      string         `mapstructure:"instance_id"`
	ResourceARN     string         `mapstructure:"resource_arn"`
}
