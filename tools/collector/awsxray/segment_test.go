package awsxray

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

var fargate = map[string]any{
	"service.name":            "checkout",
	"service.version":         "1.4.2",
	"cloud.provider":          "aws",
	"cloud.platform":          "aws_ecs",
	"cloud.account.id":        "123456789012",
	"cloud.availability_zone": "eu-west-1a",
	"aws.ecs.cluster.arn":     "arn:aws:ecs:eu-west-1:123456789012:cluster/prod",
	"aws.ecs.task.arn":        "arn:aws:ecs:eu-west-1:123456789012:task/prod/0a1b",
	"aws.ecs.task.family":     "checkout",
	"aws.ecs.launchtype":      "fargate",
	"aws.log.group.arns":      []any{"arn:aws:logs:eu-west-1:123456789012:log-group:/ecs/checkout"},
	"telemetry.sdk.name":      "opentelemetry",
	"telemetry.sdk.language":  "python",
	"telemetry.sdk.version":   "1.38.0",
	"telemetry.auto.version":  "0.59b0",
}

type example struct {
	kind       ptrace.SpanKind
	isChild    bool
	name       string
	attributes map[string]any
	resource   map[string]any
	config     Config
	change     func(ptrace.Span)
}

func (e example) span(t *testing.T) (ptrace.Span, pcommon.Resource) {
	t.Helper()
	span, resource := ptrace.NewSpan(), pcommon.NewResource()
	span.SetTraceID(pcommon.TraceID{0x68, 0xb0, 0x00, 0x01, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0xff})
	span.SetSpanID(pcommon.SpanID{0xaa, 1, 2, 3, 4, 5, 6, 7})
	if e.isChild {
		span.SetParentSpanID(pcommon.SpanID{0xbb, 1, 2, 3, 4, 5, 6, 7})
	}
	span.SetKind(e.kind)
	span.SetName(e.name)
	span.SetStartTimestamp(1_700_000_000_000_000_000)
	span.SetEndTimestamp(1_700_000_000_500_000_000)
	for _, err := range []error{span.Attributes().FromRaw(e.attributes), resource.Attributes().FromRaw(e.resource)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if e.change != nil {
		e.change(span)
	}
	return span, resource
}

// document is the only document of the example. Identifiers of exceptions must
// be 16 digits, and are replaced by "made up".
func (e example) document(t *testing.T) map[string]any {
	t.Helper()
	found := e.documents(t)
	if len(found) != 1 {
		t.Fatalf("%d documents: %v", len(found), found)
	}
	document := found[0]
	if cause, ok := document["cause"].(map[string]any); ok {
		for _, item := range cause["exceptions"].([]any) {
			exception := item.(map[string]any)
			if id, _ := exception["id"].(string); len(id) == 16 {
				exception["id"] = "made up"
			}
		}
	}
	return document
}

func (e example) documents(t *testing.T) []map[string]any {
	t.Helper()
	span, resource := e.span(t)
	texts, err := segmentDocuments(span, resource, &e.config)
	if err != nil {
		t.Fatal(err)
	}
	var found []map[string]any
	for _, text := range texts {
		found = append(found, decoded(t, text))
	}
	return found
}

func decoded(t *testing.T, text string) map[string]any {
	t.Helper()
	document := map[string]any{}
	if err := json.Unmarshal([]byte(text), &document); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return document
}

func assertSame(t *testing.T, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		g, _ := json.MarshalIndent(got, "", "  ")
		w, _ := json.MarshalIndent(want, "", "  ")
		t.Errorf("got  %s\nwant %s", g, w)
	}
}

func TestServerSpanOfATaskOnFargate(t *testing.T) {
	got := example{
		kind: ptrace.SpanKindServer, isChild: true, name: "POST /orders/{id}",
		attributes: map[string]any{
			"http.request.method":       "POST",
			"url.scheme":                "https",
			"url.path":                  "/orders/7",
			"url.query":                 "dry=1",
			"server.address":            "shop.example.com",
			"server.port":               443,
			"client.address":            "203.0.113.9",
			"user_agent.original":       "curl/8.9",
			"http.response.status_code": 200,
			"http.route":                "/orders/{id}",
			"tenant":                    "blue",
		},
		resource: fargate,
		config:   Config{IndexedAttributes: []string{"tenant", "http.response.status_code", "otel.resource.service.name"}},
	}.document(t)
	want := decoded(t, `{
		"name": "checkout",
		"id": "aa01020304050607",
		"parent_id": "bb01020304050607",
		"trace_id": "1-68b00001-02030405060708090a0b0cff",
		"start_time": 1700000000,
		"end_time": 1700000000.5,
		"error": false, "throttle": false, "fault": false,
		"origin": "AWS::ECS::Fargate",
		"service": {"version": "1.4.2"},
		"http": {
			"request": {
				"method": "POST",
				"url": "https://shop.example.com/orders/7?dry=1",
				"user_agent": "curl/8.9",
				"client_ip": "203.0.113.9",
				"x_forwarded_for": true
			},
			"response": {"status": 200, "content_length": 0}
		},
		"aws": {
			"account_id": "123456789012",
			"cloudwatch_logs": [{
				"log_group": "/ecs/checkout",
				"arn": "arn:aws:logs:eu-west-1:123456789012:log-group:/ecs/checkout"
			}],
			"ecs": {
				"task_arn": "arn:aws:ecs:eu-west-1:123456789012:task/prod/0a1b",
				"task_family": "checkout",
				"cluster_arn": "arn:aws:ecs:eu-west-1:123456789012:cluster/prod",
				"availability_zone": "eu-west-1a",
				"launch_type": "fargate"
			},
			"xray": {"sdk": "opentelemetry for python", "sdk_version": "1.38.0", "auto_instrumentation": true}
		},
		"annotations": {
			"tenant": "blue",
			"http.response.status_code": 200,
			"otel.resource.service.name": "checkout"
		},
		"metadata": {"default": {
			"http.route": "/orders/{id}",
			"otel.resource.service.version": "1.4.2",
			"otel.resource.cloud.provider": "aws",
			"otel.resource.cloud.platform": "aws_ecs",
			"otel.resource.cloud.account.id": "123456789012",
			"otel.resource.cloud.availability_zone": "eu-west-1a",
			"otel.resource.aws.ecs.cluster.arn": "arn:aws:ecs:eu-west-1:123456789012:cluster/prod",
			"otel.resource.aws.ecs.task.arn": "arn:aws:ecs:eu-west-1:123456789012:task/prod/0a1b",
			"otel.resource.aws.ecs.task.family": "checkout",
			"otel.resource.aws.ecs.launchtype": "fargate",
			"otel.resource.aws.log.group.arns": ["arn:aws:logs:eu-west-1:123456789012:log-group:/ecs/checkout"],
			"otel.resource.telemetry.sdk.name": "opentelemetry",
			"otel.resource.telemetry.sdk.language": "python",
			"otel.resource.telemetry.sdk.version": "1.38.0",
			"otel.resource.telemetry.auto.version": "0.59b0"
		}}
	}`)
	assertSame(t, got, want)
}

func TestClientSpanWithAnException(t *testing.T) {
	got := example{
		kind: ptrace.SpanKindClient, isChild: true, name: "GET",
		attributes: map[string]any{
			"http.method":          "GET",
			"http.url":             "http://stock:8080/items",
			"http.status_code":     503,
			"net.peer.name":        "stock",
			"net.peer.port":        8080,
			"peer.service":         "inventory",
			"retry of":             "first",
			"aws.xray.annotations": []any{"retry of"},
		},
		resource: map[string]any{"service.name": "checkout"},
		change: func(span ptrace.Span) {
			span.Status().SetCode(ptrace.StatusCodeError)
			span.Status().SetMessage("is in the exception already")
			span.Events().AppendEmpty().SetName("something else")
			event := span.Events().AppendEmpty()
			event.SetName("exception")
			event.Attributes().PutStr("exception.type", "ConnectionError")
			event.Attributes().PutStr("exception.message", "refused")
		},
	}.document(t)
	want := decoded(t, `{
		"name": "inventory",
		"id": "aa01020304050607",
		"parent_id": "bb01020304050607",
		"type": "subsegment",
		"namespace": "remote",
		"trace_id": "1-68b00001-02030405060708090a0b0cff",
		"start_time": 1700000000,
		"end_time": 1700000000.5,
		"error": false, "throttle": false, "fault": true,
		"cause": {"exceptions": [
			{"id": "made up", "type": "ConnectionError", "message": "refused", "remote": true}
		]},
		"http": {
			"request": {"method": "GET", "url": "http://stock:8080/items"},
			"response": {"status": 503, "content_length": 0}
		},
		"aws": {"xray": {"auto_instrumentation": false}},
		"annotations": {"retry_of": "first"},
		"metadata": {"default": {"peer.service": "inventory"}}
	}`)
	assertSame(t, got, want)
}

func TestInternalRootSpanWithoutAttributes(t *testing.T) {
	got := example{
		kind: ptrace.SpanKindInternal, name: `nightly <job> "7"`,
		change: func(span ptrace.Span) {
			span.Status().SetCode(ptrace.StatusCodeError)
			span.Status().SetMessage("disk full")
		},
	}.document(t)
	want := decoded(t, `{
		"name": "nightly job 7",
		"id": "aa01020304050607",
		"trace_id": "1-68b00001-02030405060708090a0b0cff",
		"start_time": 1700000000,
		"end_time": 1700000000.5,
		"error": false, "throttle": false, "fault": true,
		"cause": {"exceptions": [{"id": "made up", "type": "", "message": "disk full"}]},
		"aws": {"xray": {"auto_instrumentation": false}}
	}`)
	assertSame(t, got, want)
}

func TestSegmentsAndSubsegments(t *testing.T) {
	for _, c := range []struct {
		kind      ptrace.SpanKind
		isChild   bool
		isSegment bool
	}{
		{ptrace.SpanKindServer, true, true},
		{ptrace.SpanKindServer, false, true},
		{ptrace.SpanKindClient, false, true},
		{ptrace.SpanKindInternal, true, false},
		{ptrace.SpanKindProducer, true, false},
		{ptrace.SpanKindConsumer, true, true},
	} {
		got := example{kind: c.kind, isChild: c.isChild, name: "n", resource: map[string]any{"k": "v"}}.document(t)
		_, hasType := got["type"]
		_, hasResource := got["metadata"]
		if hasType == c.isSegment || hasResource != c.isSegment {
			t.Errorf("%v, child %v: %v", c.kind, c.isChild, got)
		}
	}
}

func TestLinks(t *testing.T) {
	for _, kind := range []ptrace.SpanKind{ptrace.SpanKindConsumer, ptrace.SpanKindClient} {
		got := example{kind: kind, isChild: true, change: twoLinks}.document(t)
		assertSame(t, got["links"], linked)
	}
	_, hasLinks := example{}.document(t)["links"]
	assertSame(t, hasLinks, false)
}

func TestOutcomeOfAStatusCode(t *testing.T) {
	for status, want := range map[int][]any{
		200: {false, false, false},
		404: {true, false, false},
		429: {true, true, false},
		500: {false, false, true},
	} {
		for _, key := range []string{"http.status_code", "http.response.status_code"} {
			got := example{kind: ptrace.SpanKindServer, attributes: map[string]any{key: status}}.document(t)
			assertSame(t, []any{got["error"], got["throttle"], got["fault"]}, want)
		}
	}
}

func TestName(t *testing.T) {
	checkout := map[string]any{"service.name": "checkout"}
	for _, c := range []struct {
		kind       ptrace.SpanKind
		attributes map[string]any
		want       string
	}{
		{ptrace.SpanKindServer, map[string]any{"http.host": "shop"}, "checkout"},
		{ptrace.SpanKindServer, map[string]any{"peer.service": "edge"}, "edge"},
		{ptrace.SpanKindClient, map[string]any{"http.host": "stock:8080", "net.peer.name": "stock"}, "stock:8080"},
		{ptrace.SpanKindClient, map[string]any{"net.peer.name": "stock"}, "stock"},
		{ptrace.SpanKindClient, map[string]any{"rpc.service": "Stock"}, "Stock"},
		{ptrace.SpanKindClient, map[string]any{"db.name": "orders"}, "orders"},
		{ptrace.SpanKindClient, nil, "GET /a"},
		{ptrace.SpanKindInternal, nil, "GET /a"},
	} {
		got := example{kind: c.kind, name: "GET /a", attributes: c.attributes, resource: checkout}.document(t)
		assertSame(t, got["name"], c.want)
	}
	long := example{name: strings.Repeat("a", maxNameLength-1) + "éé"}.document(t)
	assertSame(t, long["name"], strings.Repeat("a", maxNameLength-1))
	assertSame(t, example{name: "<>"}.document(t)["name"], "span")
}

func TestURL(t *testing.T) {
	for _, c := range []struct {
		kind       ptrace.SpanKind
		attributes map[string]any
		want       any
	}{
		{ptrace.SpanKindServer, map[string]any{"http.scheme": "http", "http.host": "shop:81", "net.host.port": 82, "http.target": "/a?b"}, "http://shop:81/a?b"},
		{ptrace.SpanKindServer, map[string]any{"http.method": "GET", "net.host.name": "shop", "net.host.port": 80}, "http://shop/"},
		{ptrace.SpanKindServer, map[string]any{"http.method": "GET", "net.host.name": "shop", "net.host.port": 8080}, "http://shop:8080/"},
		{ptrace.SpanKindClient, map[string]any{"url.scheme": "https", "server.address": "stock", "server.port": 8443, "url.path": "/a", "url.query": "?b"}, "https://stock:8443/a?b"},
		{ptrace.SpanKindClient, map[string]any{"http.target": "/a", "net.peer.ip": "10.0.0.1"}, "http://10.0.0.1/a"},
		{ptrace.SpanKindClient, map[string]any{"url.full": "https://stock/a", "server.address": "other"}, "https://stock/a"},
		{ptrace.SpanKindServer, map[string]any{"url.path": "/a"}, nil},
	} {
		got := example{kind: c.kind, attributes: c.attributes}.document(t)
		assertSame(t, got["http"].(map[string]any)["request"].(map[string]any)["url"], c.want)
	}
}

func TestClientAddress(t *testing.T) {
	request := func(attributes map[string]any) map[string]any {
		attributes["http.method"] = "GET"
		got := example{kind: ptrace.SpanKindServer, attributes: attributes}.document(t)
		request := got["http"].(map[string]any)["request"].(map[string]any)
		delete(request, "url")
		return request
	}
	assertSame(t, request(map[string]any{"net.peer.ip": "10.0.0.1"}),
		map[string]any{"method": "GET", "client_ip": "10.0.0.1"})
	assertSame(t, request(map[string]any{"network.peer.address": "10.0.0.1", "client.address": "203.0.113.9"}),
		map[string]any{"method": "GET", "client_ip": "203.0.113.9"})
	assertSame(t, request(map[string]any{"client.address": "some name"}),
		map[string]any{"method": "GET"})
}

func TestOrigin(t *testing.T) {
	for _, c := range []struct {
		resource map[string]any
		want     any
	}{
		{map[string]any{"cloud.platform": "aws_ecs", "aws.ecs.launchtype": "fargate"}, "AWS::ECS::Fargate"},
		{map[string]any{"cloud.platform": "aws_ecs", "aws.ecs.launchtype": "ec2"}, "AWS::ECS::EC2"},
		{map[string]any{"cloud.platform": "aws_ecs"}, "AWS::ECS::Container"},
		{map[string]any{"cloud.platform": "aws_ecs", "cloud.provider": "gcp"}, nil},
		{map[string]any{"cloud.platform": "aws_lambda"}, nil},
	} {
		got := example{resource: c.resource}.document(t)
		assertSame(t, got["origin"], c.want)
		_, hasAWS := got["aws"]
		assertSame(t, hasAWS, c.resource["cloud.provider"] != "gcp")
	}
}

func TestLogGroups(t *testing.T) {
	configured := Config{LogGroupNames: []string{"/from/configuration"}}
	groups := func(resource map[string]any) any {
		return example{resource: resource, config: configured}.document(t)["aws"].(map[string]any)["cloudwatch_logs"]
	}
	assertSame(t, groups(nil), []any{map[string]any{"log_group": "/from/configuration"}})
	assertSame(t, groups(map[string]any{"aws.log.group.names": "/a&/b"}),
		[]any{map[string]any{"log_group": "/a"}, map[string]any{"log_group": "/b"}})
}

func TestIndexAllAttributes(t *testing.T) {
	got := example{
		kind:       ptrace.SpanKindServer,
		attributes: map[string]any{"a-b": 1.5, "c": true, "lost": []any{"x"}},
		resource:   map[string]any{"service.name": "checkout", "list": []any{"x"}},
		config:     Config{IndexAllAttributes: true},
	}.document(t)
	assertSame(t, got["annotations"], map[string]any{"a_b": 1.5, "c": true, "otel.resource.service.name": "checkout"})
	assertSame(t, got["metadata"], map[string]any{"default": map[string]any{"otel.resource.list": []any{"x"}}})
}
