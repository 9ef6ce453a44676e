// Package awsxray is a stand-in for the awsxray exporter of
// opentelemetry-collector-contrib, which is not published as a Go module that
// can be depended on. It has the same name and configuration keys, sends the
// same requests with AWS's own client, and writes the same segment documents
// for services on ECS that speak HTTP.
//
// It leaves out: the blocks for SQL queries and for calls of AWS APIs (their
// attributes are metadata here, and a database is named without its host),
// frames of stack traces, EC2, EKS and Elastic Beanstalk, segments in progress,
// metadata under other names than "default", telemetry records, and the region
// from instance metadata.
package awsxray

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
)

// NewFactory returns the factory of the exporter, whose type is awsxray.
func NewFactory() exporter.Factory {
	return exporter.NewFactory(
		component.MustNewType("awsxray"),
		defaultConfig,
		exporter.WithTraces(newTraces, component.StabilityLevelBeta),
	)
}

func defaultConfig() component.Config {
	return &Config{NumWorkers: 8, RequestTimeoutSeconds: 30, MaxRetries: 2}
}

// newTraces adds neither a queue nor a retry to what the client does, as the
// original does not; whoever needs them puts them before the exporter. The
// helper's default limit of five seconds for one batch, with all its requests
// and their attempts, applies to both, too.
func newTraces(ctx context.Context, settings exporter.Settings, config component.Config) (exporter.Traces, error) {
	sender, err := newSender(ctx, config.(*Config), settings.Logger)
	if err != nil {
		return nil, err
	}
	return exporterhelper.NewTraces(ctx, settings, config, sender.send)
}
