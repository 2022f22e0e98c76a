package hostfn

import (
	"context"
	"fmt"

	"github.com/agentrt/agentrt/quickjs"
	"github.com/nlnwa/whatwg-url/url"
)

// maxURL is the longest URL, base or part that is parsed, in bytes.
const maxURL = 1 << 20

// RegisterURL adds the operations behind URL in url.ts. Each takes an array of
// strings and returns a serialised URL (https://url.spec.whatwg.org/#concept-url-serializer),
// which is ASCII, so that JavaScript cuts the parts out of it.
//
//	url.parse [input] or [input, base]  null if it is no URL
//	url.set   [href, part, value]       the URL with that part set, unchanged if the value is invalid
//
// Input above 1 MiB is refused with a RangeError.
func RegisterURL(ops *quickjs.Ops) {
	quickjs.Sync(ops, "url.parse", func(_ context.Context, in []string) (*string, error) {
		if err := checkURLSize(in); err != nil {
			return nil, err
		}
		if len(in) != 1 && len(in) != 2 {
			return nil, &quickjs.HostError{Name: "TypeError", Message: "url.parse takes an input and at most one base"}
		}
		if len(in) == 1 {
			if href, ok := serialized(in[0]); ok {
				return &href, nil
			}
		}
		u, err := parseURL(in)
		if err != nil {
			return nil, nil
		}
		href := u.Href(false)
		return &href, nil
	})
	quickjs.Sync(ops, "url.set", func(_ context.Context, in []string) (string, error) {
		if err := checkURLSize(in); err != nil {
			return "", err
		}
		if len(in) != 3 {
			return "", &quickjs.HostError{Name: "TypeError", Message: "url.set takes a URL, the name of a part and its value"}
		}
		return setURLPart(in[0], in[1], in[2])
	})
}

func parseURL(in []string) (*url.Url, error) {
	if len(in) == 1 {
		return url.Parse(in[0])
	}
	base, err := url.Parse(in[1])
	if err != nil {
		return nil, err
	}
	return base.Parse(in[0])
}

func setURLPart(href, part, value string) (string, error) {
	u, err := url.Parse(href)
	if err != nil {
		return href, nil
	}
	switch part {
	case "protocol":
		u.SetProtocol(value)
	case "username":
		u.SetUsername(value)
	case "password":
		u.SetPassword(value)
	case "host":
		u.SetHost(value)
	case "hostname":
		u.SetHostname(value)
	case "port":
		u.SetPort(value)
	case "pathname":
		u.SetPathname(value)
	case "search":
		u.SetSearch(value)
	case "hash":
		u.SetHash(value)
	default:
		return "", &quickjs.HostError{Name: "TypeError", Message: fmt.Sprintf("a URL has no part %q", part)}
	}
	return u.Href(false), nil
}

func checkURLSize(in []string) error {
	for _, s := range in {
		if len(s) > maxURL {
			return &quickjs.HostError{Name: "RangeError", Message: fmt.Sprintf("a URL of %d bytes is longer than %d", len(s), maxURL)}
		}
	}
	return nil
}
