package awsxray

// The types below are the parts of an X-Ray segment document that this
// exporter writes. Their fields are those of AWS's description of the format;
// those without omitempty are always in what the original exporter sends.

type segment struct {
	Name        string                    `json:"name"`
	ID          string                    `json:"id"`
	TraceID     string                    `json:"trace_id"`
	ParentID    string                    `json:"parent_id,omitempty"`
	Type        string                    `json:"type,omitempty"`
	Namespace   string                    `json:"namespace,omitempty"`
	StartTime   float64                   `json:"start_time"`
	EndTime     float64                   `json:"end_time"`
	Error       bool                      `json:"error"`
	Throttle    bool                      `json:"throttle"`
	Fault       bool                      `json:"fault"`
	Cause       *cause                    `json:"cause,omitempty"`
	HTTP        *httpData                 `json:"http,omitempty"`
	AWS         *awsData                  `json:"aws,omitempty"`
	Origin      string                    `json:"origin,omitempty"`
	Service     *serviceData              `json:"service,omitempty"`
	User        string                    `json:"user,omitempty"`
	Annotations map[string]any            `json:"annotations,omitempty"`
	Metadata    map[string]map[string]any `json:"metadata,omitempty"`
	Links       []link                    `json:"links,omitempty"`
}

type link struct {
	TraceID    string         `json:"trace_id"`
	ID         string         `json:"id"`
	Attributes map[string]any `json:"attributes,omitempty"`
}

type cause struct {
	Exceptions []exception `json:"exceptions"`
}

type exception struct {
	ID      string `json:"id"`
	Type    string `json:"type"`
	Message string `json:"message"`
	// Remote is absent where the exception is only the status of the span.
	Remote *bool `json:"remote,omitempty"`
}

type httpData struct {
	Request  httpRequest  `json:"request"`
	Response httpResponse `json:"response"`
}

type httpRequest struct {
	Method        string `json:"method,omitempty"`
	URL           string `json:"url,omitempty"`
	UserAgent     string `json:"user_agent,omitempty"`
	ClientIP      string `json:"client_ip,omitempty"`
	XForwardedFor bool   `json:"x_forwarded_for,omitempty"`
}

type httpResponse struct {
	Status        int64 `json:"status,omitempty"`
	ContentLength int64 `json:"content_length"`
}

type awsData struct {
	AccountID string     `json:"account_id,omitempty"`
	ECS       *ecsData   `json:"ecs,omitempty"`
	Logs      []logGroup `json:"cloudwatch_logs,omitempty"`
	XRay      sdkData    `json:"xray"`
}

type ecsData struct {
	Container        string `json:"container,omitempty"`
	ContainerID      string `json:"container_id,omitempty"`
	ContainerARN     string `json:"container_arn,omitempty"`
	TaskARN          string `json:"task_arn,omitempty"`
	TaskFamily       string `json:"task_family,omitempty"`
	ClusterARN       string `json:"cluster_arn,omitempty"`
	AvailabilityZone string `json:"availability_zone,omitempty"`
	LaunchType       string `json:"launch_type,omitempty"`
}

type logGroup struct {
	LogGroup string `json:"log_group"`
	ARN      string `json:"arn,omitempty"`
}

type sdkData struct {
	SDK                 string `json:"sdk,omitempty"`
	SDKVersion          string `json:"sdk_version,omitempty"`
	AutoInstrumentation bool   `json:"auto_instrumentation"`
}

type serviceData struct {
	Version string `json:"version"`
}
