package triggers

import (
	"fmt"
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/agentrt/agentrt/agentrt/deployment"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

// maxClients bounds the clients that one route's rate limit counts in a window (and
// as many of the window before).
// When there are more, arbitrary ones are forgotten.
const maxClients = 16_384

// rates are the rate limits of the current deployment's routes. Counts outlast a
// new deployment if a route keeps its limit.
type rates struct {
	mu         sync.Mutex
	deployment *deployment.Deployment
	routes     map[string]*rate
}

// admit counts the request, or refuses it with 429. Both set the fields RateLimit
// and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers). Superusers are not
// limited, as in PocketBase's own rate limits.
func (r *rates) admit(e *core.RequestEvent, d *deployment.Deployment, route *deployment.Route) error {
	limit := route.Config.RateLimit
	if limit == nil || e.HasSuperuserAuth() {
		return nil
	}
	ok, left, wait := r.of(d, route).take(clientOf(e, limit.ByUser), time.Now())
	seconds := strconv.Itoa(int(math.Ceil(wait.Seconds())))
	header := e.Response.Header()
	header.Set("RateLimit-Policy", fmt.Sprintf(`"route";q=%d;w=%d`, limit.Requests, int(math.Ceil(limit.Window.Seconds()))))
	header.Set("RateLimit", fmt.Sprintf(`"route";r=%d;t=%s`, left, seconds))
	if ok {
		return nil
	}
	header.Set("Retry-After", seconds)
	return router.NewApiError(http.StatusTooManyRequests, fmt.Sprintf("Too many requests: this function takes %d in %v. Try again in %s s.", limit.Requests, limit.Window, seconds), nil)
}

// clientOf names who is counted. An IPv6 client has all addresses of a /64.
func clientOf(e *core.RequestEvent, byUser bool) string {
	if byUser && e.Auth != nil {
		return e.Auth.Collection().Id + "/" + e.Auth.Id
	}
	addr, err := netip.ParseAddr(e.RealIP())
	if err != nil {
		return ""
	}
	if addr = addr.Unmap().WithZone(""); addr.Is6() {
		return netip.PrefixFrom(addr, 64).Masked().String()
	}
	return addr.String()
}

func (r *rates) of(d *deployment.Deployment, route *deployment.Route) *rate {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.deployment != d {
		former := r.routes
		r.deployment, r.routes = d, map[string]*rate{}
		for _, other := range d.Routes() {
			limit := other.Config.RateLimit
			if limit == nil {
				continue
			}
			if known := former[other.File]; known != nil && known.limit == *limit {
				r.routes[other.File] = known
			} else {
				r.routes[other.File] = &rate{limit: *limit}
			}
		}
	}
	return r.routes[route.File]
}

// rate gives each client a bucket of limit.Requests that fills up evenly within
// limit.Window, by the generic cell rate algorithm: a bucket is the time at which it
// will be full. Clients that were not seen for a window have a full one.
type rate struct {
	limit deployment.RateLimit

	mu          sync.Mutex
	since       time.Time // when recent was begun
	recent, old map[string]time.Time
}

// take takes a request out of client's bucket at t, unless it is empty. left is what
// remains; wait the time until there is one if none is left, else until the bucket
// is full.
func (r *rate) take(client string, t time.Time) (ok bool, left int, wait time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	each := r.limit.Window / time.Duration(r.limit.Requests)
	whole := each * time.Duration(r.limit.Requests)
	if t.Sub(r.since) >= r.limit.Window {
		r.since, r.old, r.recent = t, r.recent, map[string]time.Time{}
	}
	full, known := r.recent[client]
	if !known {
		full = r.old[client]
	}
	if full.Before(t) {
		full = t
	}
	if ok = full.Add(each).Sub(t) <= whole; ok {
		full = full.Add(each)
		if !known && len(r.recent) >= maxClients {
			for other := range r.recent {
				delete(r.recent, other)
				break
			}
		}
		r.recent[client] = full
	}
	left = int((whole - full.Sub(t)) / each)
	if left > 0 {
		return ok, left, full.Sub(t)
	}
	return ok, left, full.Add(each).Sub(t) - whole
}
