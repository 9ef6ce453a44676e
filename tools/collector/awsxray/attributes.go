package awsxray

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// attributes are those of a span or a resource, with a note of which of them
// have been taken for a field of the document.
type attributes struct {
	values pcommon.Map
	taken  map[string]bool
}

func newAttributes(values pcommon.Map) *attributes {
	return &attributes{values: values, taken: map[string]bool{}}
}

// get is an attribute as text, empty if there is none.
func (a *attributes) get(key string) string {
	if value, ok := a.values.Get(key); ok {
		return value.AsString()
	}
	return ""
}

// take is the first of these attributes that is not empty; all are taken.
func (a *attributes) take(keys ...string) string {
	found := ""
	for _, key := range keys {
		a.taken[key] = true
		if found == "" {
			found = a.get(key)
		}
	}
	return found
}

// number is the first of these attributes that is an integer other than zero.
func (a *attributes) number(keys ...string) int64 {
	for _, key := range keys {
		if value, ok := a.values.Get(key); ok && value.Int() != 0 {
			return value.Int()
		}
	}
	return 0
}

// list is an attribute with several values. The environment of a process can
// only give it as one text, where & stands between them.
func (a *attributes) list(key string) []string {
	value, ok := a.values.Get(key)
	if !ok {
		return nil
	}
	var found []string
	switch value.Type() {
	case pcommon.ValueTypeStr:
		found = strings.Split(value.Str(), "&")
	case pcommon.ValueTypeSlice:
		for _, item := range value.Slice().All() {
			found = append(found, item.Str())
		}
	}
	var named []string
	for _, item := range found {
		if item != "" {
			named = append(named, item)
		}
	}
	return named
}

func (a *attributes) has(keys ...string) bool {
	for _, key := range keys {
		if _, ok := a.values.Get(key); ok {
			return true
		}
	}
	return false
}
