package awsxray

import (
	"testing"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// twoLinks gives a span two links, of which one has attributes.
func twoLinks(span ptrace.Span) {
	for i := range 2 {
		link := span.Links().AppendEmpty()
		link.SetTraceID(pcommon.TraceID{0x68, 0xb0, 0, 2, 15: byte(i)})
		link.SetSpanID(pcommon.SpanID{0xcc, 7: byte(i)})
		if i == 1 {
			link.Attributes().PutInt("messaging.batch", 3)
		}
	}
}

var linked = []any{
	map[string]any{"trace_id": "1-68b00002-000000000000000000000000", "id": "cc00000000000000"},
	map[string]any{
		"trace_id": "1-68b00002-000000000000000000000001", "id": "cc00000000000001",
		"attributes": map[string]any{"messaging.batch": float64(3)},
	},
}

// marked is a span as Application Signals marks the first of a service.
func marked(kind ptrace.SpanKind) example {
	return example{
		kind: kind, isChild: true, name: "GET",
		attributes: map[string]any{
			"aws.span.kind": "LOCAL_ROOT", "aws.local.service": "checkout-service",
			"aws.remote.service": "stock-service", "aws.remote.operation": "GET /items", "remoteTarget": "t",
			"http.request.method": "GET", "url.full": "http://stock/items", "http.response.status_code": 503,
			"aws.account_id": "123456789012", "tenant": "blue", "size": 3,
		},
		resource: map[string]any{"service.name": "checkout"},
		config:   Config{IndexedAttributes: []string{"tenant", "aws.remote.operation"}},
		change:   twoLinks,
	}
}

func TestServiceThatBeginsWithACallHasTwoDocuments(t *testing.T) {
	found := marked(ptrace.SpanKindClient).documents(t)
	if len(found) != 2 {
		t.Fatal(found)
	}
	call, service := found[0], found[1]
	made := call["parent_id"]
	if id, _ := made.(string); len(id) != 16 || id == "bb01020304050607" {
		t.Error(made)
	}
	want := decoded(t, `{
		"name": "stock-service",
		"id": "aa01020304050607",
		"type": "subsegment",
		"namespace": "remote",
		"trace_id": "1-68b00001-02030405060708090a0b0cff",
		"start_time": 1700000000,
		"end_time": 1700000000.5,
		"error": false, "throttle": false, "fault": true,
		"http": {
			"request": {"method": "GET", "url": "http://stock/items"},
			"response": {"status": 503, "content_length": 0}
		},
		"aws": {"account_id": "123456789012", "xray": {"auto_instrumentation": false}},
		"annotations": {"tenant": "blue", "aws.remote.operation": "GET /items"},
		"metadata": {"default": {
			"aws.span.kind": "LOCAL_ROOT", "aws.local.service": "checkout-service",
			"aws.remote.service": "stock-service", "remoteTarget": "t", "size": 3
		}}
	}`)
	want["parent_id"], want["links"] = made, linked
	assertSame(t, call, want)
	want = decoded(t, `{
		"name": "checkout-service",
		"parent_id": "bb01020304050607",
		"trace_id": "1-68b00001-02030405060708090a0b0cff",
		"start_time": 1700000000,
		"end_time": 1700000000.5,
		"error": false, "throttle": false, "fault": true,
		"aws": {"xray": {"auto_instrumentation": false}},
		"annotations": {"tenant": "blue"},
		"metadata": {"default": {}}
	}`)
	want["id"] = made
	assertSame(t, service, want)
}

func TestServiceThatConsumesShowsWhatItConsumed(t *testing.T) {
	found := marked(ptrace.SpanKindConsumer).documents(t)
	if len(found) != 2 {
		t.Fatal(found)
	}
	assertSame(t, []any{found[0]["type"], found[0]["namespace"], found[0]["links"]}, []any{"subsegment", "remote", nil})
	assertSame(t, []any{found[1]["type"], found[1]["namespace"], found[1]["links"]}, []any{nil, nil, linked})
	assertSame(t, found[1]["metadata"], map[string]any{"default": map[string]any{"otel.resource.service.name": "checkout"}})
}

func TestServiceWithASpanOfItsOwnHasOneDocument(t *testing.T) {
	for _, kind := range []ptrace.SpanKind{ptrace.SpanKindServer, ptrace.SpanKindInternal} {
		got := marked(kind).document(t)
		assertSame(t, []any{got["name"], got["type"], got["namespace"]}, []any{"checkout-service", nil, nil})
	}
}

func TestNameOfApplicationSignals(t *testing.T) {
	names := map[string]any{"aws.local.service": "local", "aws.remote.service": "AWS::S3", "peer.service": "peer"}
	for kind, want := range map[ptrace.SpanKind]string{
		ptrace.SpanKindServer:   "local",
		ptrace.SpanKindInternal: "peer",
		ptrace.SpanKindClient:   "AWS::S3",
		ptrace.SpanKindProducer: "AWS::S3",
		ptrace.SpanKindConsumer: "AWS::S3",
	} {
		assertSame(t, example{kind: kind, attributes: names}.document(t)["name"], want)
	}
	for _, service := range []string{"AWS::S3", "AWS.SDK.S3", "S3"} {
		attributes := map[string]any{"aws.remote.service": service, "rpc.system": "aws-api"}
		assertSame(t, example{kind: ptrace.SpanKindClient, attributes: attributes}.document(t)["name"], "S3")
	}
}
