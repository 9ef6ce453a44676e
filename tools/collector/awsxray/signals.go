package awsxray

import (
	"cmp"
	"maps"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// calleeKeys are what Application Signals notes about the other side of a call.
var calleeKeys = []string{"aws.remote.service", "aws.remote.operation", "remoteTarget", "K8s.RemoteNamespace"}

// segments are one for most spans. Application Signals marks the first span of
// a service in a trace; where that one is a call of another service, no span
// stands for the service itself, so it gets a segment of its own above the call.
func segments(span ptrace.Span, resource pcommon.Resource, config *Config) []segment {
	if !isLocalRoot(newAttributes(span.Attributes())) {
		return []segment{newSegment(span, resource, config)}
	}
	if span.Kind() == ptrace.SpanKindServer || span.Kind() == ptrace.SpanKindInternal {
		document := newSegment(span, resource, config)
		document.Type, document.Namespace = "", ""
		return []segment{document}
	}
	service := newID()
	return []segment{
		callSegment(span, service, resource, config),
		serviceSegment(span, service, resource, config),
	}
}

func isLocalRoot(attrs *attributes) bool {
	return attrs.get("aws.span.kind") == "LOCAL_ROOT"
}

// callSegment is the span as a subsegment of the service.
func callSegment(span ptrace.Span, service pcommon.SpanID, resource pcommon.Resource, config *Config) segment {
	call := ptrace.NewSpan()
	span.CopyTo(call)
	call.SetParentSpanID(service)

	document := newSegment(call, resource, config)
	document.Type = "subsegment"
	if document.Namespace == "" {
		document.Namespace = "remote"
	}
	if name := calleeName(newAttributes(span.Attributes())); name != "" {
		document.Name = name
	}
	// What was consumed belongs to the service, which shows it.
	if span.Kind() == ptrace.SpanKindConsumer {
		document.Links = nil
	}
	return document
}

// serviceSegment is the service in the time of the span, without the call.
func serviceSegment(span ptrace.Span, id pcommon.SpanID, resource pcommon.Resource, config *Config) segment {
	service := ptrace.NewSpan()
	span.CopyTo(service)
	service.SetSpanID(id)
	for _, key := range calleeKeys {
		service.Attributes().Remove(key)
	}

	document := newSegment(service, resource, config)
	document.Type, document.Namespace, document.HTTP = "", "", nil
	attrs, about := newAttributes(span.Attributes()), newAttributes(resource.Attributes())
	if name := cmp.Or(attrs.get("aws.local.service"), about.get("service.name")); name != "" {
		document.Name = name
	}
	if document.AWS != nil {
		document.AWS.AccountID = ""
	}
	maps.DeleteFunc(document.Metadata["default"], func(key string, _ any) bool {
		return !strings.HasPrefix(key, resourcePrefix)
	})
	if span.Kind() != ptrace.SpanKindConsumer {
		document.Links = nil
	}
	return document
}

// signalsName is the name that Application Signals gives to what serves the
// span, empty if it gives none.
func signalsName(span ptrace.Span, attrs *attributes) string {
	switch span.Kind() {
	case ptrace.SpanKindServer:
		return attrs.get("aws.local.service")
	case ptrace.SpanKindInternal:
		if isLocalRoot(attrs) {
			return attrs.get("aws.local.service")
		}
	case ptrace.SpanKindClient, ptrace.SpanKindProducer, ptrace.SpanKindConsumer:
		return calleeName(attrs)
	}
	return ""
}

// calleeName is that of the called service, for a service of AWS as X-Ray
// names it.
func calleeName(attrs *attributes) string {
	name := attrs.get("aws.remote.service")
	if attrs.get("rpc.system") == "aws-api" {
		for _, prefix := range []string{"AWS.SDK.", "AWS::"} {
			if short, ok := strings.CutPrefix(name, prefix); ok {
				return short
			}
		}
	}
	return name
}
