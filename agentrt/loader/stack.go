package loader

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/agentrt/agentrt/agentrt/platform"
)

// maxFrames bounds the frames of a stack that are mapped; further lines are cut.
const maxFrames = 200

// Frame is a frame of a JavaScript stack.
type Frame struct {
	// Function is the function's name, "" at the top level of a module.
	Function string
	// File is relative to the functions folder for code of the bundle, "native"
	// for built-in functions, else the name of the module or script.
	File string
	// Line and Column start at 1, columns count UTF-16 code units; both are 0 if unknown.
	Line, Column int
	// Mapped tells that the position is one in the original source.
	Mapped bool
	// Platform tells that the frame belongs to agentrt and not to the user's code.
	Platform bool
}

// String formats f as a line of a stack, without indentation.
func (f Frame) String() string {
	place := f.File
	if f.Line > 0 {
		place = fmt.Sprintf("%s:%d:%d", f.File, f.Line, f.Column)
	}
	if f.Function == "" {
		return "at " + place
	}
	return "at " + f.Function + " (" + place + ")"
}

// Frames returns the mapped frames of a stack of QuickJS, at most 200. Lines that
// are no frame, such as the error's message, are left out.
func (m *SourceMap) Frames(stack string) []Frame {
	var frames []Frame
	for line := range strings.SplitSeq(stack, "\n") {
		if len(frames) == maxFrames {
			break
		}
		if f, ok := parseFrame(line); ok {
			frames = append(frames, m.resolve(f))
		}
	}
	return frames
}

// Stack maps the frames of a stack of QuickJS. Frames of agentrt itself are left
// out, other lines stay. Of more than 200 frames the rest is cut.
func (m *SourceMap) Stack(stack string) string {
	var lines []string
	frames := 0
	for line := range strings.SplitSeq(strings.TrimSuffix(stack, "\n"), "\n") {
		f, ok := parseFrame(line)
		if !ok {
			lines = append(lines, line)
			continue
		}
		if frames++; frames > maxFrames {
			lines = append(lines, "    ...")
			break
		}
		if f = m.resolve(f); !f.Platform {
			lines = append(lines, "    "+f.String())
		}
	}
	return strings.Join(lines, "\n")
}

// resolve maps a frame of the bundle.
func (m *SourceMap) resolve(f Frame) Frame {
	if f.File != ModuleName {
		return f
	}
	p, source, ok := m.original(f.Line, f.Column)
	if !ok {
		return f
	}
	f.File, f.Line, f.Column, f.Mapped = source, p.line+1, p.column+1, true
	if strings.HasPrefix(source, entryName) {
		f.Platform = true
	}
	return f
}

// parseFrame reads "    at name (file:line:column)", "    at name (native)" or "    at file:line:column".
func parseFrame(line string) (Frame, bool) {
	rest, ok := strings.CutPrefix(line, "    at ")
	if !ok {
		return Frame{}, false
	}
	var f Frame
	if open := strings.LastIndex(rest, " ("); open >= 0 && strings.HasSuffix(rest, ")") {
		f.Function, rest = rest[:open], rest[open+2:len(rest)-1]
	}
	if f.Function == "<anonymous>" {
		f.Function = ""
	}
	f.File = rest
	if file, column, ok := cutNumber(rest); ok {
		if name, line, ok := cutNumber(file); ok {
			f.File, f.Line, f.Column = name, line, column
		}
	}
	f.Platform = f.File == platform.Name
	return f, f.File != ""
}

// cutNumber cuts ":number" off the end.
func cutNumber(s string) (rest string, number int, ok bool) {
	colon := strings.LastIndexByte(s, ':')
	if colon < 0 {
		return s, 0, false
	}
	number, err := strconv.Atoi(s[colon+1:])
	return s[:colon], number, err == nil && number > 0
}
