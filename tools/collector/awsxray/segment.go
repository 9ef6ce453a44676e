package awsxray

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

const (
	maxNameLength  = 200
	resourcePrefix = "otel.resource."
)

// segmentDocuments are the JSON texts that X-Ray gets for a span.
func segmentDocuments(span ptrace.Span, resource pcommon.Resource, config *Config) ([]string, error) {
	var documents []string
	for _, one := range segments(span, resource, config) {
		text, err := json.Marshal(one)
		if err != nil {
			return nil, err
		}
		documents = append(documents, string(text))
	}
	return documents, nil
}

// newSegment is what a span is by itself.
func newSegment(span ptrace.Span, resource pcommon.Resource, config *Config) segment {
	// A server or consumer span starts a new segment even below a parent, which
	// is the caller's subsegment. Everything else with a parent is a subsegment.
	isSegment := span.Kind() == ptrace.SpanKindServer || span.Kind() == ptrace.SpanKindConsumer ||
		span.ParentSpanID().IsEmpty()
	attrs := newAttributes(span.Attributes())
	about := newAttributes(resource.Attributes())

	document := segment{
		Name:      segmentName(span, attrs, about),
		ID:        span.SpanID().String(),
		TraceID:   traceID(span.TraceID()),
		ParentID:  span.ParentSpanID().String(),
		Namespace: namespace(span, attrs),
		StartTime: float64(span.StartTimestamp()) / 1e9,
		EndTime:   float64(span.EndTimestamp()) / 1e9,
		Origin:    origin(about),
		Links:     links(span),
	}
	if !isSegment {
		document.Type = "subsegment"
	}
	setOutcome(&document, span, attrs)
	// Each of these takes the attributes that it shows, so that they are not
	// shown once more as metadata.
	document.HTTP = newHTTPData(attrs, span.Kind() == ptrace.SpanKindServer)
	document.AWS = newAWSData(attrs, about, config.LogGroupNames)
	document.User = attrs.take("enduser.id")
	if version := cmp.Or(about.get("service.version"), about.get("container.image.tag")); version != "" {
		document.Service = &serviceData{Version: version}
	}
	shown := resource.Attributes()
	if !isSegment {
		// The segment above has them already.
		shown = pcommon.NewMap()
	}
	document.Annotations, document.Metadata = annotate(attrs, shown, config)
	return document
}

func links(span ptrace.Span) []link {
	var found []link
	for _, one := range span.Links().All() {
		found = append(found, link{
			TraceID: traceID(one.TraceID()), ID: one.SpanID().String(), Attributes: one.Attributes().AsRaw(),
		})
	}
	return found
}

// traceID writes the first four bytes, which X-Ray's own identifiers fill with
// the time of day, apart from the other twelve. X-Ray does not check the time.
func traceID(id pcommon.TraceID) string {
	digits := hex.EncodeToString(id[:])
	return "1-" + digits[:8] + "-" + digits[8:]
}

// outsideName matches what X-Ray does not allow in a name.
var outsideName = regexp.MustCompile(`[^ 0-9\p{L}_.:/%&#=+\-@]`)

// segmentName finds a service for the span, because a segment is named after
// what serves it and not after what is done. The most specific source is first.
func segmentName(span ptrace.Span, attrs, about *attributes) string {
	served := ""
	if span.Kind() == ptrace.SpanKindServer {
		served = about.get("service.name")
	}
	name := cmp.Or(
		signalsName(span, attrs),
		attrs.get("peer.service"),
		attrs.get("aws.service"),
		attrs.get("db.name"),
		served,
		attrs.get("rpc.service"),
		attrs.get("http.host"),
		attrs.get("net.peer.name"),
	)
	if name != "" {
		return name
	}
	name = outsideName.ReplaceAllString(span.Name(), "")
	if len(name) > maxNameLength {
		name = name[:maxNameLength]
		for !utf8.ValidString(name) {
			name = name[:len(name)-1]
		}
	}
	return cmp.Or(name, "span")
}

func namespace(span ptrace.Span, attrs *attributes) string {
	switch {
	case attrs.get("rpc.system") == "aws-api" || attrs.get("aws.service") != "":
		return "aws"
	case span.Kind() == ptrace.SpanKindClient || span.Kind() == ptrace.SpanKindProducer:
		return "remote"
	}
	return ""
}

// setOutcome reads the HTTP status if there is one, because many
// instrumentations set no status of the span, and the status otherwise.
func setOutcome(document *segment, span ptrace.Span, attrs *attributes) {
	status := attrs.number("http.status_code", "http.response.status_code")
	switch {
	case status >= 400 && status <= 499:
		document.Error = true
		document.Throttle = status == 429
	case status >= 500 && status <= 599:
		document.Fault = true
	default:
		document.Fault = span.Status().Code() == ptrace.StatusCodeError
	}

	isRemote := span.Kind() == ptrace.SpanKindClient || span.Kind() == ptrace.SpanKindProducer
	var exceptions []exception
	for _, event := range span.Events().All() {
		if event.Name() == "exception" {
			details := newAttributes(event.Attributes())
			exceptions = append(exceptions, exception{
				ID:      newID().String(),
				Type:    details.get("exception.type"),
				Message: details.get("exception.message"),
				Remote:  &isRemote,
			})
		}
	}
	if len(exceptions) == 0 && span.Status().Code() == ptrace.StatusCodeError {
		if message := cmp.Or(span.Status().Message(), attrs.take("http.status_text")); message != "" {
			exceptions = append(exceptions, exception{ID: newID().String(), Message: message})
		}
	}
	if len(exceptions) > 0 {
		document.Cause = &cause{Exceptions: exceptions}
	}
}

// newID identifies what has no identifier in OpenTelemetry.
func newID() pcommon.SpanID {
	var id pcommon.SpanID
	rand.Read(id[:])
	return id
}

// isElsewhere tells that the span comes from another cloud.
func isElsewhere(about *attributes) bool {
	provider := about.get("cloud.provider")
	return provider != "" && provider != "aws"
}

// origin tells X-Ray which icon and which kind of node to draw.
func origin(about *attributes) string {
	if isElsewhere(about) || about.get("cloud.platform") != "aws_ecs" {
		return ""
	}
	switch about.get("aws.ecs.launchtype") {
	case "fargate":
		return "AWS::ECS::Fargate"
	case "ec2":
		return "AWS::ECS::EC2"
	}
	return "AWS::ECS::Container"
}

func newAWSData(attrs, about *attributes, logGroupNames []string) *awsData {
	account := cmp.Or(attrs.take("aws.account_id"), about.get("cloud.account.id"))
	if isElsewhere(about) {
		return nil
	}
	data := &awsData{AccountID: account, Logs: logGroups(about, logGroupNames)}
	if about.get("cloud.platform") == "aws_ecs" {
		data.ECS = &ecsData{
			Container:        about.get("container.name"),
			ContainerID:      about.get("container.id"),
			ContainerARN:     about.get("aws.ecs.container.arn"),
			TaskARN:          about.get("aws.ecs.task.arn"),
			TaskFamily:       about.get("aws.ecs.task.family"),
			ClusterARN:       about.get("aws.ecs.cluster.arn"),
			AvailabilityZone: about.get("cloud.availability_zone"),
			LaunchType:       about.get("aws.ecs.launchtype"),
		}
	}
	data.XRay = sdkData{
		SDK:                 about.get("telemetry.sdk.name"),
		SDKVersion:          about.get("telemetry.sdk.version"),
		AutoInstrumentation: cmp.Or(about.get("telemetry.distro.version"), about.get("telemetry.auto.version")) != "",
	}
	if language := about.get("telemetry.sdk.language"); language != "" && data.XRay.SDK != "" {
		data.XRay.SDK += " for " + language
	}
	return data
}

// logGroups prefers what the resource says, and ARNs to names.
func logGroups(about *attributes, configured []string) []logGroup {
	var groups []logGroup
	for _, arn := range about.list("aws.log.group.arns") {
		name := arn
		if parts := strings.Split(arn, ":"); len(parts) >= 7 {
			name = parts[6]
		}
		groups = append(groups, logGroup{LogGroup: name, ARN: arn})
	}
	if len(groups) > 0 {
		return groups
	}
	names := about.list("aws.log.group.names")
	if len(names) == 0 {
		names = configured
	}
	for _, name := range names {
		groups = append(groups, logGroup{LogGroup: name})
	}
	return groups
}

// annotate divides what has no place of its own in a document into annotations,
// which X-Ray indexes, and metadata, which it only shows.
func annotate(attrs *attributes, resource pcommon.Map, config *Config) (map[string]any, map[string]map[string]any) {
	indexed := map[string]bool{}
	for _, key := range slices.Concat(config.IndexedAttributes, attrs.list("aws.xray.annotations")) {
		indexed[key] = true
	}
	attrs.take("aws.xray.annotations")
	annotations, metadata := map[string]any{}, map[string]any{}

	index := func(key string, value pcommon.Value) bool {
		switch value.Type() {
		case pcommon.ValueTypeStr, pcommon.ValueTypeInt, pcommon.ValueTypeDouble, pcommon.ValueTypeBool:
			annotations[annotationKey(key)] = value.AsRaw()
			return true
		}
		return false
	}
	show := func(key string, value pcommon.Value) {
		if value.Type() != pcommon.ValueTypeEmpty {
			metadata[key] = value.AsRaw()
		}
	}
	isIndexed := func(key string) bool { return indexed[key] || config.IndexAllAttributes }

	for key, value := range attrs.values.All() {
		switch {
		// What the configuration names is indexed even if it is shown elsewhere.
		case attrs.taken[key] && !slices.Contains(config.IndexedAttributes, key):
		case isIndexed(key):
			// The original shows nothing of a list that cannot be an annotation.
			index(key, value)
		default:
			show(key, value)
		}
	}
	for key, value := range resource.All() {
		key = resourcePrefix + key
		if !isIndexed(key) || !index(key, value) {
			show(key, value)
		}
	}
	if len(metadata) == 0 {
		return annotations, nil
	}
	return annotations, map[string]map[string]any{"default": metadata}
}

// annotationKey replaces what X-Ray does not allow in a key. Dots stay, as they
// have in the original since its version 0.97 (gate exporter.xray.allowDot).
func annotationKey(key string) string {
	return strings.Map(func(r rune) rune {
		if r == '.' || '0' <= r && r <= '9' || 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z' {
			return r
		}
		return '_'
	}, key)
}
