package vector

import (
	"fmt"
	"math"
	"regexp"
)

var spaceName = regexp.MustCompile(`^[A-Za-z0-9_]+$`) // and at most 100; bounds in the pattern take 3 ms to compile

// Check validates the description of a space.
func (s Space) Check() error {
	bad := func(field, want string, got any) error {
		return &InputError{Kind: ErrSpace, Space: s.Name, Field: field, Want: want, Got: fmt.Sprintf("%q", fmt.Sprint(got))}
	}
	switch {
	case len(s.Name) > 100 || !spaceName.MatchString(s.Name):
		return bad("name", "1 to 100 letters, digits and underscores", s.Name)
	case s.Dim < 1 || s.Dim > MaxDim:
		return bad("dimension", fmt.Sprintf("1 to %d", MaxDim), s.Dim)
	case s.Metric != Cosine && s.Metric != L2 && s.Metric != Dot:
		return bad("metric", "cosine, l2 or dot", s.Metric)
	}
	return nil
}

// CheckItem validates a vector to be stored.
func (s Space) CheckItem(item Item) error {
	if err := s.checkID(item.ID); err != nil {
		return err
	}
	return s.checkVector(item.ID, item.Vector)
}

// CheckQuery validates a query.
func (s Space) CheckQuery(q Query) error {
	if err := s.checkVector("", q.Vector); err != nil {
		return err
	}
	bad := func(kind error, field, want, got string) error {
		return &InputError{Kind: kind, Space: s.Name, Field: field, Want: want, Got: got}
	}
	switch {
	case q.Top < 0 || q.Top > MaxTop:
		return bad(ErrTop, "top", fmt.Sprintf("1 to %d", MaxTop), fmt.Sprint(q.Top))
	case !(q.Recall >= 0 && q.Recall <= 1):
		return bad(ErrRecall, "recall", "0 to 1", fmt.Sprint(q.Recall))
	case q.Filter.IDs != nil && q.Filter.Query != nil:
		return bad(ErrFilter, "filter", "ids or a query", "both")
	case q.Filter.Query != nil && q.Filter.Column == "":
		return bad(ErrFilter, "filter", "the column of its query", "none")
	}
	return nil
}

// checkID refuses control characters, which separate ids where a store lists them.
func (s Space) checkID(id string) error {
	bad := len(id) == 0 || len(id) > MaxID
	for i := 0; i < len(id) && !bad; i++ {
		bad = id[i] < ' '
	}
	if bad {
		return &InputError{Kind: ErrID, Space: s.Name, Field: "id", Want: fmt.Sprintf("1 to %d bytes without control characters", MaxID), Got: fmt.Sprintf("%.300q", id)}
	}
	return nil
}

func (s Space) checkVector(id string, v []float32) error {
	bad := func(kind error, want, got string) error {
		return &InputError{Kind: kind, Space: s.Name, Field: "vector", ID: id, Want: want, Got: got}
	}
	if len(v) != s.Dim {
		return bad(ErrDimension, fmt.Sprintf("%d numbers", s.Dim), fmt.Sprint(len(v)))
	}
	var squares float64
	for i, x := range v {
		f := float64(x)
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return bad(ErrNotFinite, "finite numbers", fmt.Sprintf("%v at position %d", x, i))
		}
		squares += f * f
	}
	if squares > maxSquares {
		return bad(ErrNotFinite, "a length below 1e18", fmt.Sprintf("%g", math.Sqrt(squares)))
	}
	if s.Metric == Cosine && squares < minSquares {
		return bad(ErrZero, "a direction, since the metric is cosine", fmt.Sprintf("a length of %g", math.Sqrt(squares)))
	}
	return nil
}

// Beyond these, sums of squares of 32 bits overflow or lose their precision.
const minSquares, maxSquares = 1e-30, 1e36
