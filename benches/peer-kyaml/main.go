// What does a function cost that reads and prints everything with kyaml, as functions in Go do?
//
// It makes the same endpoints https as istio-scrape does in the same data, and decides nothing: an endpoint is to be
// changed where the name of its namespace begins with "strict". With the argument "round-trip" it changes nothing.
package main

import (
	"fmt"
	"os"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/fn/framework"
	"sigs.k8s.io/kustomize/kyaml/kio"
	"sigs.k8s.io/kustomize/kyaml/yaml"
)

const tls = `caFile: /etc/istio-certs/root-cert.pem
certFile: /etc/istio-certs/cert-chain.pem
insecureSkipVerify: true
keyFile: /etc/istio-certs/key.pem
`

// The list of endpoints of each kind of scrape objects in the data.
var lists = map[string]string{
	"VMServiceScrape": "endpoints",
	"VMPodScrape":     "podMetricsEndpoints",
	"ServiceMonitor":  "endpoints",
}

func endpoint(node *yaml.RNode) error {
	settings, err := yaml.Parse(tls)
	if err != nil {
		return err
	}
	return node.PipeE(
		yaml.Tee(yaml.SetField("scheme", yaml.NewStringRNode("https"))),
		yaml.SetField("tlsConfig", settings),
	)
}

func patch(items []*yaml.RNode) error {
	for _, item := range items {
		list, found := lists[item.GetKind()]
		if !found || !strings.HasPrefix(item.GetNamespace(), "strict") {
			continue
		}
		endpoints, err := item.Pipe(yaml.Lookup("spec", list))
		if err != nil {
			return err
		}
		if err := endpoints.VisitElements(endpoint); err != nil {
			return err
		}
	}
	return nil
}

func main() {
	change := framework.ResourceListProcessorFunc(func(list *framework.ResourceList) error {
		if len(os.Args) > 1 && os.Args[1] == "round-trip" {
			return nil
		}
		return patch(list.Items)
	})
	streams := &kio.ByteReadWriter{Reader: os.Stdin, Writer: os.Stdout, KeepReaderAnnotations: true}
	if err := framework.Execute(change, streams); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}
