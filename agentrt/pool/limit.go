package pool

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
)

const (
	perInstance   = 2 << 20 // bytes an instance in use is expected to hold
	mapsEach      = 2       // memory mappings of an instance
	reservedMaps  = 4096    // mappings left to the rest of the process
	fallbackLimit = 1000
	highestLimit  = 10_000
)

// DefaultLimit derives how many instances may be in use from the available
// memory (half of it, 2 MiB each) and, on Linux, from vm.max_map_count: an
// instance takes two mappings. At most 10,000; 1,000 where neither is known.
func DefaultLimit() int {
	limit := fallbackLimit
	if bytes, ok := availableMemory(); ok {
		limit = int(bytes / 2 / perInstance)
	}
	if text, err := os.ReadFile("/proc/sys/vm/max_map_count"); err == nil {
		if maps, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil {
			limit = min(limit, (maps-reservedMaps)/mapsEach)
		}
	}
	return max(1, min(limit, highestLimit))
}

func availableMemory() (uint64, bool) {
	f, err := os.Open("/proc/meminfo")
	if err != nil {
		return 0, false
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "MemAvailable:"); ok {
			var kib uint64
			if _, err := fmt.Sscanf(rest, "%d kB", &kib); err != nil {
				return 0, false
			}
			return kib << 10, true
		}
	}
	return 0, false
}
