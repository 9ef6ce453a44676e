package awsxray

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/xray"
	"github.com/aws/smithy-go"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/zap"
)

// documentsPerRequest is the limit of PutTraceSegments.
const documentsPerRequest = 50

// sender turns batches of spans into PutTraceSegments requests.
type sender struct {
	config *Config
	client *xray.Client
	logger *zap.Logger
}

func newSender(ctx context.Context, config *Config, logger *zap.Logger, options ...func(*retry.StandardOptions)) (*sender, error) {
	transport, err := newTransport(config)
	if err != nil {
		return nil, err
	}
	options = append(options, func(o *retry.StandardOptions) { o.MaxAttempts = config.MaxRetries + 1 })
	loaded, err := awsconfig.LoadDefaultConfig(ctx,
		awsconfig.WithRegion(config.Region),
		awsconfig.WithHTTPClient(transport),
		awsconfig.WithRetryer(func() aws.Retryer { return retry.NewStandard(options...) }),
	)
	if err != nil {
		return nil, err
	}
	if loaded.Region == "" {
		return nil, errors.New("no region: set region in the configuration of awsxray, or AWS_REGION")
	}
	if config.RoleARN != "" {
		role := stscreds.NewAssumeRoleProvider(sts.NewFromConfig(loaded), config.RoleARN, func(o *stscreds.AssumeRoleOptions) {
			if config.ExternalID != "" {
				o.ExternalID = aws.String(config.ExternalID)
			}
		})
		loaded.Credentials = aws.NewCredentialsCache(role)
	}
	client := xray.NewFromConfig(loaded, func(o *xray.Options) {
		if config.Endpoint != "" {
			o.BaseEndpoint = aws.String(config.Endpoint)
		}
	})
	return &sender{config: config, client: client, logger: logger}, nil
}

func newTransport(config *Config) (*awshttp.BuildableClient, error) {
	var proxy *url.URL
	if config.ProxyAddress != "" {
		var err error
		if proxy, err = url.Parse(config.ProxyAddress); err != nil {
			return nil, fmt.Errorf("proxy_address: %w", err)
		}
	}
	client := awshttp.NewBuildableClient().WithTimeout(time.Duration(config.RequestTimeoutSeconds) * time.Second)
	return client.WithTransportOptions(func(transport *http.Transport) {
		// Or every request beyond the default of ten opens a new connection.
		transport.MaxIdleConnsPerHost = max(config.NumWorkers, transport.MaxIdleConnsPerHost)
		if proxy != nil {
			transport.Proxy = http.ProxyURL(proxy)
		}
		if config.NoVerifySSL {
			if transport.TLSClientConfig == nil {
				transport.TLSClientConfig = &tls.Config{}
			}
			transport.TLSClientConfig.InsecureSkipVerify = true
		}
	}), nil
}

// send delivers all spans of a batch, or returns an error.
func (s *sender) send(ctx context.Context, traces ptrace.Traces) error {
	requests := slices.Collect(slices.Chunk(s.documents(traces), documentsPerRequest))
	failures := make([]error, len(requests))
	workers := make(chan struct{}, s.config.NumWorkers)
	var running sync.WaitGroup
	for i, request := range requests {
		workers <- struct{}{}
		running.Go(func() {
			failures[i] = s.put(ctx, request)
			<-workers
		})
	}
	running.Wait()
	// One permanent error would make the caller drop what the other requests
	// could still deliver, so an error that may pass comes first.
	for _, err := range failures {
		if err != nil && !consumererror.IsPermanent(err) {
			return err
		}
	}
	return errors.Join(failures...)
}

func (s *sender) documents(traces ptrace.Traces) []string {
	documents := make([]string, 0, traces.SpanCount())
	for _, resource := range traces.ResourceSpans().All() {
		for _, scope := range resource.ScopeSpans().All() {
			for _, span := range scope.Spans().All() {
				document, err := segmentDocument(span, resource.Resource(), s.config)
				if err != nil {
					s.logger.Warn("span cannot be a segment", zap.Stringer("span_id", span.SpanID()), zap.Error(err))
					continue
				}
				documents = append(documents, document)
			}
		}
	}
	return documents
}

// put sends one request. The client signs it and tries it again as the AWS
// SDK does: on server errors, throttling and broken connections.
func (s *sender) put(ctx context.Context, documents []string) error {
	answer, err := s.client.PutTraceSegments(ctx, &xray.PutTraceSegmentsInput{TraceSegmentDocuments: documents})
	if err != nil {
		return permanentIfRefused(err)
	}
	if len(answer.UnprocessedTraceSegments) == 0 {
		return nil
	}
	// The original only logs these at level debug. Here they must be seen, but
	// sent again they would be refused again.
	first := answer.UnprocessedTraceSegments[0]
	return consumererror.NewPermanent(fmt.Errorf("%d of %d segments were not processed, the first one (%s) because of %s: %s",
		len(answer.UnprocessedTraceSegments), len(documents),
		aws.ToString(first.Id), aws.ToString(first.ErrorCode), aws.ToString(first.Message)))
}

// permanentIfRefused marks what X-Ray says is the client's own fault, because
// it will say so again. As with the original this includes throttling that
// outlasts the retries, and leaves out refusals that are not X-Ray's own, such
// as missing permissions.
func permanentIfRefused(err error) error {
	var refusal smithy.APIError
	if errors.As(err, &refusal) && refusal.ErrorFault() == smithy.FaultClient {
		return consumererror.NewPermanent(err)
	}
	return err
}
