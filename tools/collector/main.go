// The collector is an OpenTelemetry Collector with the components of the AWS
// Distro for OpenTelemetry (ADOT) v0.49.0, at the same version of each. It
// stands for ADOT on a machine that cannot run ADOT's image.
package main

import (
	"log"
	"os"

	"github.com/spf13/cobra"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/envprovider"
	"go.opentelemetry.io/collector/confmap/provider/fileprovider"
	"go.opentelemetry.io/collector/confmap/provider/yamlprovider"
	"go.opentelemetry.io/collector/otelcol"
)

// contentVariable holds a whole configuration. ADOT reads it in preference to
// any --config flag, which is how a task definition replaces the command of
// the image without changing it.
const contentVariable = "AOT_CONFIG_CONTENT"

func main() {
	settings := otelcol.CollectorSettings{
		BuildInfo: component.BuildInfo{
			Command:     "collector",
			Description: "OpenTelemetry Collector with the components of ADOT v0.49.0",
			Version:     "0.156.0",
		},
		Factories: components,
		ConfigProviderSettings: otelcol.ConfigProviderSettings{
			ResolverSettings: confmap.ResolverSettings{
				ProviderFactories: []confmap.ProviderFactory{
					envprovider.NewFactory(),
					fileprovider.NewFactory(),
					yamlprovider.NewFactory(),
				},
				DefaultScheme: "env",
			},
		},
	}
	if err := newCommand(settings).Execute(); err != nil {
		log.Fatal(err)
	}
}

// newCommand is the collector's usual command, except that the configuration
// in the environment wins over the one on the command line.
func newCommand(settings otelcol.CollectorSettings) *cobra.Command {
	if _, given := os.LookupEnv(contentVariable); !given {
		return otelcol.NewCommand(settings)
	}
	settings.ConfigProviderSettings.ResolverSettings.URIs = []string{"env:" + contentVariable}
	command := otelcol.NewCommand(settings)
	// The usual command lets --config replace the URIs; this one only parses it.
	command.RunE = func(command *cobra.Command, _ []string) error {
		collector, err := otelcol.NewCollector(settings)
		if err != nil {
			return err
		}
		return collector.Run(command.Context())
	}
	return command
}
