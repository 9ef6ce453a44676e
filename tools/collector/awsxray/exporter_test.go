package awsxray

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/xray"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// service stands for X-Ray: it keeps the requests and answers as it is told.
type service struct {
	*httptest.Server
	mutex     sync.Mutex
	requests  []*http.Request
	documents [][]string
	answer    func(number int, w http.ResponseWriter)
}

func newService(t *testing.T, answer func(number int, w http.ResponseWriter)) *service {
	t.Helper()
	s := &service{answer: answer}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct{ TraceSegmentDocuments []string }
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		s.mutex.Lock()
		s.requests = append(s.requests, r)
		s.documents = append(s.documents, body.TraceSegmentDocuments)
		number := len(s.requests)
		s.mutex.Unlock()
		s.answer(number, w)
	}))
	t.Cleanup(s.Close)
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "",
		"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
		"AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL": "", "AWS_ENDPOINT_URL_XRAY": "",
	} {
		t.Setenv(name, value)
	}
	return s
}

func accept(_ int, w http.ResponseWriter) {
	fmt.Fprint(w, `{"UnprocessedTraceSegments": []}`)
}

func refuse(status int, kind string) func(int, http.ResponseWriter) {
	return func(_ int, w http.ResponseWriter) {
		w.Header().Set("X-Amzn-ErrorType", kind)
		w.WriteHeader(status)
		fmt.Fprint(w, `{"message": "not now"}`)
	}
}

// testSender sends to the service and does not wait between attempts.
func testSender(t *testing.T, s *service, change func(*Config)) *sender {
	t.Helper()
	config := defaultConfig().(*Config)
	config.Endpoint = s.URL
	if change != nil {
		change(config)
	}
	sender, err := newSender(t.Context(), config, zap.NewNop(), func(o *xray.Options) {
		o.Retryer = retry.AddWithMaxBackoffDelay(o.Retryer, 0)
	})
	if err != nil {
		t.Fatal(err)
	}
	return sender
}

// testExporter is what a collector gets from the factory. It waits as it does there.
func testExporter(t *testing.T, s *service, change func(*Config)) exporter.Traces {
	t.Helper()
	factory := NewFactory()
	config := factory.CreateDefaultConfig().(*Config)
	config.Endpoint = s.URL
	change(config)
	settings := exporter.Settings{
		ID: component.NewID(factory.Type()),
		TelemetrySettings: component.TelemetrySettings{
			Logger:         zap.NewNop(),
			MeterProvider:  metricnoop.NewMeterProvider(),
			TracerProvider: tracenoop.NewTracerProvider(),
		},
	}
	traces, err := factory.CreateTraces(t.Context(), settings, config)
	if err != nil {
		t.Fatal(err)
	}
	if err := traces.Start(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := traces.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return traces
}

func spans(count int) ptrace.Traces {
	traces := ptrace.NewTraces()
	list := traces.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans()
	for i := range count {
		span := list.AppendEmpty()
		span.SetName("work")
		span.SetSpanID(pcommon.SpanID{1, 0, 0, 0, 0, 0, byte(i >> 8), byte(i)})
	}
	return traces
}

func TestRequestIsSigned(t *testing.T) {
	s := newService(t, accept)
	if err := testSender(t, s, nil).send(t.Context(), spans(1)); err != nil {
		t.Fatal(err)
	}
	request := s.requests[0]
	assertSame(t, request.Method+" "+request.URL.Path, "POST /TraceSegments")
	authorization := request.Header.Get("Authorization")
	today := time.Now().UTC().Format("20060102")
	for _, part := range []string{
		"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/" + today + "/eu-west-1/xray/aws4_request",
		"SignedHeaders=", "host;", "x-amz-date", "Signature=",
	} {
		if !strings.Contains(authorization, part) {
			t.Errorf("no %q in %q", part, authorization)
		}
	}
	if request.Header.Get("X-Amz-Date") == "" {
		t.Error("no X-Amz-Date")
	}
	assertSame(t, decoded(t, s.documents[0][0])["name"], "work")
}

func TestRegionOfTheConfigurationWins(t *testing.T) {
	s := newService(t, accept)
	sender := testSender(t, s, func(c *Config) { c.Region = "ap-south-1" })
	if err := sender.send(t.Context(), spans(1)); err != nil {
		t.Fatal(err)
	}
	if authorization := s.requests[0].Header.Get("Authorization"); !strings.Contains(authorization, "/ap-south-1/xray/") {
		t.Error(authorization)
	}
}

func TestEndpoint(t *testing.T) {
	const elsewhere = "http://127.0.0.1:1"
	for _, c := range []struct{ configured, general, ofXRay string }{
		{configured: "here"},
		{general: "here"},
		{ofXRay: "here"},
		{configured: "here", general: elsewhere},
		{configured: elsewhere, general: elsewhere, ofXRay: "here"},
	} {
		s := newService(t, accept)
		address := strings.NewReplacer("here", s.URL).Replace
		t.Setenv("AWS_ENDPOINT_URL", address(c.general))
		t.Setenv("AWS_ENDPOINT_URL_XRAY", address(c.ofXRay))
		sender := testSender(t, s, func(config *Config) { config.Endpoint = address(c.configured) })
		if err := sender.send(t.Context(), spans(1)); err != nil {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestNoRegion(t *testing.T) {
	newService(t, accept)
	t.Setenv("AWS_REGION", "")
	t.Setenv("AWS_DEFAULT_REGION", "")
	if _, err := newSender(t.Context(), defaultConfig().(*Config), zap.NewNop()); err == nil || !strings.Contains(err.Error(), "no region") {
		t.Error(err)
	}
}

func TestFiftyDocumentsAfterFifty(t *testing.T) {
	s := newService(t, accept)
	if err := testSender(t, s, nil).send(t.Context(), spans(120)); err != nil {
		t.Fatal(err)
	}
	// One at a time, or they could not be in order.
	var sizes, ids []any
	for _, documents := range s.documents {
		sizes = append(sizes, len(documents))
		for _, document := range documents {
			ids = append(ids, decoded(t, document)["id"])
		}
	}
	assertSame(t, sizes, []any{50, 50, 20})
	var inOrder []any
	for i := range 120 {
		inOrder = append(inOrder, fmt.Sprintf("01000000000000%02x", i))
	}
	assertSame(t, ids, inOrder)
}

func TestTheFirstRequestThatFailsIsTheLast(t *testing.T) {
	for _, c := range []struct {
		second      func(int, http.ResponseWriter)
		third       func(int, http.ResponseWriter)
		isPermanent bool
	}{
		{refuse(400, "InvalidRequestException"), refuse(503, ""), true},
		{refuse(503, ""), refuse(400, "InvalidRequestException"), false},
	} {
		s := newService(t, func(number int, w http.ResponseWriter) {
			[]func(int, http.ResponseWriter){accept, c.second, c.third}[number-1](number, w)
		})
		err := testSender(t, s, func(c *Config) { c.MaxRetries = 1 }).send(t.Context(), spans(120))
		if err == nil || consumererror.IsPermanent(err) != c.isPermanent {
			t.Errorf("permanent %v: %v", !c.isPermanent, err)
		}
		assertSame(t, len(s.requests), 2)
	}
}

func TestRetries(t *testing.T) {
	throttled := refuse(429, "ThrottledException")
	for _, c := range []struct {
		name        string
		answer      func(int, http.ResponseWriter)
		maxRetries  int
		attempts    int
		isPermanent bool
	}{
		{"server error", refuse(503, ""), 2, 2, false},
		{"server error, once", refuse(503, ""), 1, 1, false},
		{"server error, default of the client", refuse(503, ""), 0, 3, false},
		{"throttling", throttled, 2, 2, true},
		{"throttling, default of the client", throttled, 0, 3, true},
		{"throttling that X-Ray does not name", refuse(429, ""), 5, 1, false},
		// The client's quota has 500 tokens, of which a retry costs five.
		{"throttling, until the quota is used up", throttled, 1000, 101, true},
		{"throttling, without bound", throttled, -1, 101, true},
		{"wrong request", refuse(400, "InvalidRequestException"), 2, 1, true},
		{"wrong request that X-Ray does not name", refuse(400, ""), 2, 1, false},
		{"not allowed", refuse(403, "AccessDeniedException"), 2, 1, false},
		{"broken connection", func(int, http.ResponseWriter) { panic(http.ErrAbortHandler) }, 2, 2, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newService(t, c.answer)
			err := testSender(t, s, func(config *Config) { config.MaxRetries = c.maxRetries }).send(t.Context(), spans(1))
			if err == nil || consumererror.IsPermanent(err) != c.isPermanent {
				t.Errorf("permanent %v: %v", !c.isPermanent, err)
			}
			assertSame(t, len(s.requests), c.attempts)
		})
	}
}

func TestSecondAttemptDelivers(t *testing.T) {
	s := newService(t, func(number int, w http.ResponseWriter) {
		if number == 1 {
			refuse(500, "")(number, w)
			return
		}
		accept(number, w)
	})
	if err := testSender(t, s, nil).send(t.Context(), spans(1)); err != nil {
		t.Fatal(err)
	}
	assertSame(t, s.documents[0], s.documents[1])
}

func TestTheEnvironmentHasNoSayInAttempts(t *testing.T) {
	s := newService(t, refuse(503, ""))
	t.Setenv("AWS_MAX_ATTEMPTS", "7")
	if err := testSender(t, s, func(c *Config) { c.MaxRetries = 0 }).send(t.Context(), spans(1)); err == nil {
		t.Error("no error")
	}
	assertSame(t, len(s.requests), 3)
}

func TestQuotaIsThatOfTheExporter(t *testing.T) {
	s := newService(t, refuse(429, "ThrottledException"))
	sender := testSender(t, s, func(c *Config) { c.MaxRetries = 61 })
	for _, attempts := range []int{61, 41, 1, 1} {
		before := len(s.requests)
		if err := sender.send(t.Context(), spans(1)); !consumererror.IsPermanent(err) {
			t.Error(err)
		}
		assertSame(t, len(s.requests)-before, attempts)
	}
}

// What keeps a batch while X-Ray asks for less: the limit for the batch ends
// the wait for the next attempt, and this error is not X-Ray's.
func TestThrottlingThatOutlastsTheBatchMayPass(t *testing.T) {
	s := newService(t, refuse(429, "ThrottledException"))
	traces := testExporter(t, s, func(c *Config) { c.MaxRetries = 100 })
	started := time.Now()
	err := traces.ConsumeTraces(t.Context(), spans(1))
	if err == nil || consumererror.IsPermanent(err) {
		t.Error(err)
	}
	if took := time.Since(started); took > 6*time.Second {
		t.Errorf("after %v: %v", took, err)
	}
}

func TestRequestTimeout(t *testing.T) {
	stopped := make(chan struct{})
	s := newService(t, func(int, http.ResponseWriter) { <-stopped })
	t.Cleanup(func() { close(stopped) })
	sender := testSender(t, s, func(c *Config) { c.RequestTimeoutSeconds, c.MaxRetries = 1, 1 })
	started := time.Now()
	if err := sender.send(t.Context(), spans(1)); err == nil || time.Since(started) > 3*time.Second {
		t.Errorf("after %v: %v", time.Since(started), err)
	}
}

func TestUnprocessedSegments(t *testing.T) {
	s := newService(t, func(_ int, w http.ResponseWriter) {
		fmt.Fprint(w, `{"UnprocessedTraceSegments": [{"Id": "aa01", "ErrorCode": "ParseError", "Message": "no name"}]}`)
	})
	core, logs := observer.New(zap.DebugLevel)
	sender := testSender(t, s, nil)
	sender.logger = zap.New(core)
	if err := sender.send(t.Context(), spans(3)); err != nil {
		t.Error(err)
	}
	assertSame(t, len(s.requests), 1)
	assertSame(t, len(logs.All()), 1)
	assertSame(t, logs.All()[0].Level, zap.DebugLevel)
	assertSame(t, logs.All()[0].ContextMap(), map[string]any{"segment_id": "aa01", "code": "ParseError", "message": "no name"})
}

func TestConfiguration(t *testing.T) {
	config := defaultConfig().(*Config)
	err := confmap.NewFromStringMap(map[string]any{
		"num_workers": 3, "endpoint": "http://x", "request_timeout_seconds": 4, "max_retries": 5,
		"no_verify_ssl": true, "proxy_address": "http://p", "region": "r", "local_mode": true,
		"resource_arn": "a", "role_arn": "b", "external_id": "c", "indexed_attributes": []any{"d"},
		"index_all_attributes": true, "aws_log_groups": []any{"e"}, "telemetry": map[string]any{"enabled": true},
	}).Unmarshal(config)
	if err != nil {
		t.Fatal(err)
	}
	assertSame(t, *config, Config{
		NumWorkers: 3, Endpoint: "http://x", RequestTimeoutSeconds: 4, MaxRetries: 5,
		NoVerifySSL: true, ProxyAddress: "http://p", Region: "r", LocalMode: true,
		ResourceARN: "a", RoleARN: "b", ExternalID: "c", IndexedAttributes: []string{"d"},
		IndexAllAttributes: true, LogGroupNames: []string{"e"}, Telemetry: TelemetryConfig{Enabled: true},
	})
	for _, key := range []string{"sending_queue", "retry_on_failure", "timeout", "profile"} {
		err := confmap.NewFromStringMap(map[string]any{key: map[string]any{}}).Unmarshal(defaultConfig())
		if err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s: %v", key, err)
		}
	}
}

func TestNumbersThatAreNotChecked(t *testing.T) {
	for _, number := range []int{0, -1} {
		s := newService(t, accept)
		sender := testSender(t, s, func(c *Config) {
			c.NumWorkers, c.RequestTimeoutSeconds, c.MaxRetries = number, number, number
		})
		if err := sender.send(t.Context(), spans(1)); err != nil {
			t.Errorf("%d: %v", number, err)
		}
	}
}

func TestExporterOfTheFactory(t *testing.T) {
	s := newService(t, accept)
	if err := testExporter(t, s, func(*Config) {}).ConsumeTraces(t.Context(), spans(2)); err != nil {
		t.Fatal(err)
	}
	assertSame(t, len(s.documents[0]), 2)
}
