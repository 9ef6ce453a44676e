package awsxray

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
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

func newSender(ctx context.Context, config *Config, logger *zap.Logger, options ...func(*xray.Options)) (*sender, error) {
	loaded, err := awsconfig.LoadDefaultConfig(ctx, awsconfig.WithRegion(config.Region))
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
	// From here on it is for X-Ray alone: whoever gives the credentials is
	// asked as the SDK does by default.
	if loaded.HTTPClient, err = newHTTPClient(config); err != nil {
		return nil, err
	}
	// Even if it is 0, which the client takes for its own default, because the
	// original leaves nothing of AWS_MAX_ATTEMPTS either.
	loaded.RetryMaxAttempts = config.MaxRetries
	if config.Endpoint != "" {
		loaded.BaseEndpoint = aws.String(config.Endpoint)
	}
	return &sender{config: config, client: xray.NewFromConfig(loaded, options...), logger: logger}, nil
}

func newHTTPClient(config *Config) (*http.Client, error) {
	proxy := http.ProxyFromEnvironment
	if config.ProxyAddress != "" {
		address, err := url.Parse(config.ProxyAddress)
		if err != nil {
			return nil, fmt.Errorf("proxy_address: %w", err)
		}
		proxy = http.ProxyURL(address)
	}
	return &http.Client{
		Timeout: time.Duration(config.RequestTimeoutSeconds) * time.Second,
		Transport: &http.Transport{
			MaxIdleConnsPerHost: config.NumWorkers,
			TLSClientConfig:     &tls.Config{InsecureSkipVerify: config.NoVerifySSL},
			Proxy:               proxy,
			// Or the TLS configuration above switches it off.
			ForceAttemptHTTP2: true,
		},
	}, nil
}

// send delivers the documents of a batch one request after the other and stops
// at the first that fails. Whoever sends the batch again sends the requests
// before it again, too.
func (s *sender) send(ctx context.Context, traces ptrace.Traces) error {
	for documents := range slices.Chunk(s.documents(traces), documentsPerRequest) {
		if err := s.put(ctx, documents); err != nil {
			return err
		}
	}
	return nil
}

func (s *sender) documents(traces ptrace.Traces) []string {
	documents := make([]string, 0, traces.SpanCount())
	for _, resource := range traces.ResourceSpans().All() {
		for _, scope := range resource.ScopeSpans().All() {
			for _, span := range scope.Spans().All() {
				made, err := segmentDocuments(span, resource.Resource(), s.config)
				if err != nil {
					s.logger.Debug("span cannot be a segment", zap.Stringer("span_id", span.SpanID()), zap.Error(err))
					continue
				}
				documents = append(documents, made...)
			}
		}
	}
	return documents
}

// put sends one request. The client signs it and tries it again as the AWS
// SDK does: on server errors, throttling and broken connections, as long as
// attempts, its quota of retries and the time for the batch last.
func (s *sender) put(ctx context.Context, documents []string) error {
	answer, err := s.client.PutTraceSegments(ctx, &xray.PutTraceSegmentsInput{TraceSegmentDocuments: documents})
	if err != nil {
		return permanentIfRefused(err)
	}
	// The original calls this a success. Only X-Ray, or what stands for it,
	// knows more.
	for _, segment := range answer.UnprocessedTraceSegments {
		s.logger.Debug("segment was not processed",
			zap.Stringp("segment_id", segment.Id),
			zap.Stringp("code", segment.ErrorCode),
			zap.Stringp("message", segment.Message))
	}
	return nil
}

// permanentIfRefused marks what X-Ray says is the client's own fault, because
// it will say so again. As with the original this includes throttling that
// outlasts attempts or quota, which loses the batch, and leaves out refusals
// that are not X-Ray's own, such as missing permissions.
func permanentIfRefused(err error) error {
	var refusal smithy.APIError
	if errors.As(err, &refusal) && refusal.ErrorFault() == smithy.FaultClient {
		return consumererror.NewPermanent(err)
	}
	return err
}
