package awsxray

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
	"go.uber.org/zap"
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
	sender, err := newSender(t.Context(), config, zap.NewNop(), func(o *retry.StandardOptions) {
		o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
	})
	if err != nil {
		t.Fatal(err)
	}
	return sender
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

func TestEndpointFromTheEnvironment(t *testing.T) {
	for _, variable := range []string{"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_XRAY"} {
		s := newService(t, accept)
		t.Setenv(variable, s.URL)
		sender := testSender(t, s, func(c *Config) { c.Endpoint = "" })
		if err := sender.send(t.Context(), spans(1)); err != nil {
			t.Fatal(err)
		}
		assertSame(t, len(s.requests), 1)
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

func TestAtMostFiftyDocumentsInARequest(t *testing.T) {
	s := newService(t, accept)
	if err := testSender(t, s, nil).send(t.Context(), spans(120)); err != nil {
		t.Fatal(err)
	}
	sizes, seen := map[int]int{}, map[any]bool{}
	for _, documents := range s.documents {
		sizes[len(documents)]++
		for _, document := range documents {
			seen[decoded(t, document)["id"]] = true
		}
	}
	assertSame(t, sizes, map[int]int{50: 2, 20: 1})
	assertSame(t, len(seen), 120)
}

func TestRequestsOfABatchAtOnce(t *testing.T) {
	var underWay, most int
	var mutex sync.Mutex
	s := newService(t, func(number int, w http.ResponseWriter) {
		mutex.Lock()
		underWay++
		most = max(most, underWay)
		mutex.Unlock()
		time.Sleep(50 * time.Millisecond)
		mutex.Lock()
		underWay--
		mutex.Unlock()
		accept(number, w)
	})
	sender := testSender(t, s, func(c *Config) { c.NumWorkers = 2 })
	if err := sender.send(t.Context(), spans(300)); err != nil {
		t.Fatal(err)
	}
	assertSame(t, most, 2)
}

func TestRetries(t *testing.T) {
	for _, c := range []struct {
		name        string
		answer      func(int, http.ResponseWriter)
		maxRetries  int
		attempts    int
		isPermanent bool
	}{
		{"server error", refuse(503, ""), 2, 3, false},
		{"server error, no retries", refuse(503, ""), 0, 1, false},
		{"throttling", refuse(429, "ThrottledException"), 2, 3, true},
		{"wrong request", refuse(400, "InvalidRequestException"), 2, 1, true},
		{"not allowed", refuse(403, "AccessDeniedException"), 2, 1, false},
		{"broken connection", func(int, http.ResponseWriter) { panic(http.ErrAbortHandler) }, 2, 3, false},
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

func TestErrorThatMayPassComesFirst(t *testing.T) {
	s := newService(t, func(number int, w http.ResponseWriter) {
		if number == 1 {
			refuse(400, "InvalidRequestException")(number, w)
			return
		}
		refuse(503, "")(number, w)
	})
	sender := testSender(t, s, func(c *Config) { c.NumWorkers = 1 })
	if err := sender.send(t.Context(), spans(60)); err == nil || consumererror.IsPermanent(err) {
		t.Error(err)
	}
}

func TestRequestTimeout(t *testing.T) {
	stopped := make(chan struct{})
	s := newService(t, func(int, http.ResponseWriter) { <-stopped })
	t.Cleanup(func() { close(stopped) })
	sender := testSender(t, s, func(c *Config) { c.RequestTimeoutSeconds, c.MaxRetries = 1, 0 })
	started := time.Now()
	if err := sender.send(t.Context(), spans(1)); err == nil || time.Since(started) > 3*time.Second {
		t.Errorf("after %v: %v", time.Since(started), err)
	}
}

func TestUnprocessedSegments(t *testing.T) {
	s := newService(t, func(_ int, w http.ResponseWriter) {
		fmt.Fprint(w, `{"UnprocessedTraceSegments": [{"Id": "aa01", "ErrorCode": "ParseError", "Message": "no name"}]}`)
	})
	err := testSender(t, s, nil).send(t.Context(), spans(3))
	if err == nil || !consumererror.IsPermanent(err) || !strings.Contains(err.Error(), "1 of 3 segments were not processed, the first one (aa01) because of ParseError: no name") {
		t.Error(err)
	}
	assertSame(t, len(s.requests), 1)
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
	for _, wrong := range []Config{
		{NumWorkers: 0, RequestTimeoutSeconds: 1},
		{NumWorkers: 1, RequestTimeoutSeconds: 0},
		{NumWorkers: 1, RequestTimeoutSeconds: 1, MaxRetries: -1},
	} {
		if wrong.Validate() == nil {
			t.Error(wrong)
		}
	}
}

func TestExporterOfTheFactory(t *testing.T) {
	s := newService(t, accept)
	factory := NewFactory()
	config := factory.CreateDefaultConfig().(*Config)
	config.Endpoint = s.URL
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
	if err := errors.Join(traces.Start(t.Context(), nil), traces.ConsumeTraces(t.Context(), spans(2)), traces.Shutdown(context.Background())); err != nil {
		t.Fatal(err)
	}
	assertSame(t, len(s.documents[0]), 2)
}
