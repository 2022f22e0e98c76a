package chunk

// pack puts atoms into chunks.
func pack(text string, all []atom, o Options) []Chunk {
	var chunks []Chunk
	for from, done := 0, 0; done < len(all); {
		to := fill(all, from, done, o.Size)
		chunks = append(chunks, describe(text, all[from:to]))
		done = to
		if to < len(all) {
			from = overlap(all, from, to, o)
		}
	}
	return chunks
}

// fill returns where the chunk from all[from] on ends, behind done.
func fill(all []atom, from, done, size int) int {
	sum, content := 0, 0
	to := from
	for to < len(all) && (to <= done || sum+all[to].cost <= size) {
		if all[to].heading && to > done && content >= size/4 {
			return to // a section of its own
		}
		sum += all[to].cost
		if !all[to].heading {
			content += all[to].cost
		}
		to++
	}
	if to == len(all) {
		return to
	}
	end := to
	for k, left := to, sum; k > done+1 && left >= size/2; k-- {
		if all[k].first {
			end = k
			break
		}
		left -= all[k-1].cost
	}
	for k := end; k > done+1; k-- { // a heading goes with its text
		if !all[k-1].heading {
			return k
		}
	}
	return end
}

// overlap returns where the chunk behind all[from:to] begins.
func overlap(all []atom, from, to int, o Options) int {
	if all[to].heading {
		return to
	}
	start := to
	for sum := 0; start-1 > from && !all[start-1].heading; start-- {
		sum += all[start-1].cost
		if sum > o.Overlap || sum+all[to].cost > o.Size {
			break
		}
	}
	return start
}

func describe(text string, part []atom) Chunk {
	c := Chunk{Start: part[0].start, End: part[len(part)-1].end, Headings: part[0].path}
	for _, a := range part {
		c.Headings = a.path
		if !a.heading {
			break
		}
	}
	c.Tokens = Tokens(text[c.Start:c.End])
	return c
}
