package awsxray

import (
	"net"
	"strings"
)

// The semantic conventions for HTTP changed their names in version 1.20; both
// old and new ones are in use. Any of httpKeys makes a span an HTTP one.
var httpKeys = []string{
	"http.method", "http.request.method",
	"http.status_code", "http.response.status_code",
	"http.user_agent", "user_agent.original",
	"http.url", "url.full",
	"http.scheme", "url.scheme",
	"http.target", "url.path", "url.query",
	"http.host", "http.server_name", "net.host.port", "http.client_ip",
}

// addressKeys say more about an HTTP span. They are taken from every span.
var addressKeys = []string{
	"host.name", "net.host.name", "net.peer.name", "net.peer.ip", "net.peer.port",
	"client.address", "network.peer.address", "server.address", "server.port",
}

func newHTTPData(attrs *attributes, isServer bool) *httpData {
	isHTTP := attrs.has(httpKeys...)
	parts := map[string]string{}
	for _, keys := range [][]string{httpKeys, addressKeys} {
		for _, key := range keys {
			parts[key] = attrs.take(key)
		}
	}
	if !isHTTP {
		return nil
	}
	peer := first(parts, "net.peer.ip")
	if peer == "" && isIP(parts["network.peer.address"]) {
		peer = parts["network.peer.address"]
	}
	client := parts["http.client_ip"]
	if client == "" && isIP(parts["client.address"]) {
		client = parts["client.address"]
	}
	data := &httpData{
		Request: httpRequest{
			Method:    first(parts, "http.method", "http.request.method"),
			URL:       requestURL(parts, isServer),
			UserAgent: first(parts, "http.user_agent", "user_agent.original"),
			ClientIP:  client,
			// Somebody between told the address if the peer is not known.
			XForwardedFor: client != "" && peer == "",
		},
		Response: httpResponse{Status: attrs.number("http.status_code", "http.response.status_code")},
	}
	if client == "" {
		data.Request.ClientIP = peer
	}
	return data
}

func isIP(text string) bool {
	return net.ParseIP(text) != nil
}

// requestURL is the URL of a request if the span has it or a host to build it.
func requestURL(parts map[string]string, isServer bool) string {
	if whole := first(parts, "http.url", "url.full"); whole != "" {
		return whole
	}
	host, port := parts["http.host"], ""
	switch {
	case host != "":
		// It has its port with it.
	case isServer:
		host = first(parts, "http.server_name", "net.host.name", "host.name", "server.address")
		port = first(parts, "net.host.port", "server.port")
	default:
		host = first(parts, "net.peer.name", "net.peer.ip", "server.address")
		port = first(parts, "net.peer.port", "server.port")
	}
	if host == "" {
		return ""
	}
	scheme := first(parts, "http.scheme", "url.scheme")
	if scheme == "" {
		scheme = "http"
	}
	if port != "" && scheme+":"+port != "http:80" && scheme+":"+port != "https:443" {
		host += ":" + port
	}
	return scheme + "://" + host + requestTarget(parts)
}

func requestTarget(parts map[string]string) string {
	if target := parts["http.target"]; target != "" {
		return target
	}
	path := parts["url.path"]
	if path == "" {
		path = "/"
	}
	if query := strings.TrimPrefix(parts["url.query"], "?"); query != "" {
		path += "?" + query
	}
	return path
}

func first(parts map[string]string, keys ...string) string {
	for _, key := range keys {
		if parts[key] != "" {
			return parts[key]
		}
	}
	return ""
}
