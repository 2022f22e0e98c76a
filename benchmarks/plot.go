package benchmarks

import (
	"bytes"
	"fmt"
	"html"
	"slices"
	"strings"
)

// Sizes of a plot in pixels.
const (
	plotWidth = 900
	plotLabel = 330 // for the names, on the left
	plotRow   = 18
	plotGap   = 14
)

// plotSVG draws each figure as a bar. Figures whose names differ only by the peer
// (…_node_us_per_token, …_us_per_token) share a scale, the others have one each.
func plotSVG(r Report) []byte {
	groups := map[string][]string{}
	for name := range r.Figures {
		groups[withoutPeer(name)] = append(groups[withoutPeer(name)], name)
	}
	names := make([]string, 0, len(groups))
	for name := range groups {
		names = append(names, name)
	}
	slices.Sort(names)
	height := 40
	for _, name := range names {
		height += len(groups[name])*plotRow + plotGap
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="12">`+"\n", plotWidth, height)
	fmt.Fprintf(&out, `<rect width="100%%" height="100%%" fill="#fff"/><text x="10" y="22" font-size="14">%s</text>`+"\n",
		html.EscapeString(fmt.Sprintf("agentrt bench: %s/%s, %d cores, %s, %s", r.Machine.OS, r.Machine.Arch, r.Machine.Cores, r.Machine.CPU, r.Machine.Go)))
	y := 40
	for _, name := range names {
		members := groups[name]
		slices.SortFunc(members, func(a, b string) int { return len(a) - len(b) })
		most := 0.0
		for _, m := range members {
			most = max(most, r.Figures[m])
		}
		for _, m := range members {
			value, width, fill := r.Figures[m], 0.0, "#9aa7b4"
			if most > 0 {
				width = max(0, value) / most * (plotWidth - plotLabel - 100)
			}
			if m == name {
				fill = "#2f6fde"
			}
			fmt.Fprintf(&out, `<text x="%d" y="%d" text-anchor="end">%s</text><rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/><text x="%.1f" y="%d">%.4g</text>`+"\n",
				plotLabel-8, y+13, html.EscapeString(m), plotLabel, y+2, width, plotRow-4, fill, plotLabel+width+6, y+13, value)
			y += plotRow
		}
		y += plotGap
	}
	out.WriteString("</svg>\n")
	return out.Bytes()
}

// withoutPeer takes the name of a peer out of a figure's name.
func withoutPeer(name string) string {
	for _, p := range []string{"go", "node", "deno", "bun", "workerd", "hooks"} {
		if _, ratio := strings.CutSuffix(name, "_vs_"+p); ratio {
			return name
		}
		name = strings.Replace(name, "_"+p+"_", "_", 1)
	}
	return name
}
