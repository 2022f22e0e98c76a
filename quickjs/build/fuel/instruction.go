package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/agentrt/agentrt/quickjs/internal/wasmbin"
)

// Opcodes that are inserted or have immediates; ranges by their ends.
const (
	opBlock              = 0x02
	opLoop               = 0x03
	opIf                 = 0x04
	opEnd                = 0x0b
	opBr                 = 0x0c
	opBrIf               = 0x0d
	opBrTable            = 0x0e
	opCall               = 0x10
	opCallIndirect       = 0x11
	opReturnCall         = 0x12
	opReturnCallIndirect = 0x13
	opDrop               = 0x1a
	opSelectTyped        = 0x1c
	opLocalGet           = 0x20
	opLocalTee           = 0x22
	opGlobalGet          = 0x23
	opGlobalSet          = 0x24
	opTableSet           = 0x26
	opI32Load            = 0x28
	opI64Store32         = 0x3e
	opMemorySize         = 0x3f
	opMemoryGrow         = 0x40
	opI32Const           = 0x41
	opI64Const           = 0x42
	opF32Const           = 0x43
	opF64Const           = 0x44
	opI32Eqz             = 0x45
	opI32Sub             = 0x6b
	opI64Extend32S       = 0xc4
	opRefNull            = 0xd0
	opRefIsNull          = 0xd1
	opRefFunc            = 0xd2
	opPrefixFC           = 0xfc
	opPrefixSIMD         = 0xfd
	opPrefixAtomic       = 0xfe

	blockEmpty = 0x40 // block type without parameters and results
)

// dispatchTargets is how many targets of a br_table make the loop around it an
// interpreter's.
const dispatchTargets = 128

// sites reads an expression up to and including its final end. It returns where
// to count: at each loop header, and instead of each call of tick whose result is
// dropped. A function with such calls counts its own dispatch, so the innermost
// loop around a br_table with 128 targets is left out there.
func sites(c *wasmbin.Cursor, tick uint32) ([]site, error) {
	var found []site
	var loops []int // of the blocks that are open, the site or -1
	counts := false
	for {
		offset := c.Offset()
		op, err := c.Byte()
		if err != nil {
			return nil, err
		}
		operands := *c
		if err := skipImmediates(c, op); err != nil {
			return nil, fmt.Errorf("offset %#x: opcode %#x: %w", offset, op, err)
		}
		switch op {
		case opLoop:
			loops = append(loops, len(found))
			found = append(found, site{from: c.Offset(), to: c.Offset()})
		case opBlock, opIf:
			loops = append(loops, -1)
		case opEnd:
			if len(loops) > 0 {
				loops = loops[:len(loops)-1]
				continue
			}
			if counts {
				found = slices.DeleteFunc(found, func(s site) bool { return s.dispatch })
			}
			return found, nil
		case opCall:
			after := *c
			callee, _ := operands.U32()
			if next, _ := after.Byte(); callee == tick && next == opDrop {
				*c = after
				found = append(found, site{from: offset, to: c.Offset()})
				counts = true
			}
		case opBrTable:
			targets, _ := operands.U32()
			for _, k := range slices.Backward(loops) {
				if k >= 0 {
					found[k].dispatch = found[k].dispatch || targets >= dispatchTargets
					break
				}
			}
		}
	}
}

func skipImmediates(c *wasmbin.Cursor, op byte) error {
	switch {
	case op == opBlock, op == opLoop, op == opIf:
		return skipBlockType(c)
	case op == opBr, op == opBrIf, op == opCall, op == opReturnCall,
		opLocalGet <= op && op <= opTableSet, op == opRefFunc:
		return skipU32(c, 1)
	case op == opCallIndirect, op == opReturnCallIndirect:
		return skipU32(c, 2)
	case op == opBrTable:
		n, err := c.U32()
		if err != nil {
			return err
		}
		return skipU32(c, uint64(n)+1)
	case op == opSelectTyped:
		_, err := valueTypes(c)
		return err
	case opI32Load <= op && op <= opI64Store32:
		return skipMemoryArgument(c)
	case op == opMemorySize, op == opMemoryGrow:
		return skipMemoryIndexes(c, 1)
	case op == opI32Const:
		_, err := c.S32()
		return err
	case op == opI64Const:
		return c.SkipS64()
	case op == opF32Const:
		_, err := c.Bytes(4)
		return err
	case op == opF64Const:
		_, err := c.Bytes(8)
		return err
	case op == opRefNull:
		return skipValueType(c)
	case op == opPrefixFC:
		return skipPrefixFC(c)
	case op == opPrefixSIMD:
		return errors.New("SIMD is not supported")
	case op == opPrefixAtomic:
		return errors.New("atomic instructions are not supported")
	case withoutImmediates(op):
		return nil
	}
	return errors.New("unknown instruction")
}

// withoutImmediates is also true for some of the opcodes that skipImmediates
// handles before.
func withoutImmediates(op byte) bool {
	switch op {
	case 0x00, 0x01, 0x05, opEnd, 0x0f, // unreachable, nop, else, end, return
		0x1a, 0x1b, // drop, select
		opRefIsNull:
		return true
	}
	return opI32Eqz <= op && op <= opI64Extend32S
}

// skipPrefixFC skips the rest of a saturating conversion or an instruction on
// whole memories and tables.
func skipPrefixFC(c *wasmbin.Cursor) error {
	op, err := c.U32()
	if err != nil {
		return err
	}
	switch op {
	case 0, 1, 2, 3, 4, 5, 6, 7: // iNN.trunc_sat_fNN
		return nil
	case 8: // memory.init
		if err := skipU32(c, 1); err != nil {
			return err
		}
		return skipMemoryIndexes(c, 1)
	case 10: // memory.copy
		return skipMemoryIndexes(c, 2)
	case 11: // memory.fill
		return skipMemoryIndexes(c, 1)
	case 12, 14: // table.init, table.copy
		return skipU32(c, 2)
	case 9, 13, 15, 16, 17: // data.drop, elem.drop, table.grow, table.size, table.fill
		return skipU32(c, 1)
	}
	return fmt.Errorf("unknown instruction %d", op)
}

// skipBlockType skips a type index, a single result type or blockEmpty.
func skipBlockType(c *wasmbin.Cursor) error {
	v, err := c.S33()
	if err != nil {
		return err
	}
	if v >= 0 {
		return nil
	}
	// What is not an index is the sign extension of a one-byte type.
	if v < -0x40 {
		return fmt.Errorf("unsupported block type %d", v)
	}
	if t := byte(v) & 0x7f; t != blockEmpty && !isValueType(t) {
		return unsupportedType(t)
	}
	return nil
}

func skipMemoryArgument(c *wasmbin.Cursor) error {
	align, err := c.U32()
	if err != nil {
		return err
	}
	// The exponent for 8 bytes; larger values encode a memory index.
	if align > 3 {
		return fmt.Errorf("unsupported alignment %#x", align)
	}
	return skipU32(c, 1)
}

func skipMemoryIndexes(c *wasmbin.Cursor, n int) error {
	for range n {
		i, err := c.Byte()
		if err != nil {
			return err
		}
		if i != 0 {
			return fmt.Errorf("memory %d is not supported", i)
		}
	}
	return nil
}

func skipU32(c *wasmbin.Cursor, n uint64) error {
	for range n {
		if _, err := c.U32(); err != nil {
			return err
		}
	}
	return nil
}
