package auditing

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"

	"ablate/cmd/internal/study/fault"
	"ablate/pipeline"
)

// execute carries steps out again and compares every byte: the comparison, which the report is made
// of, what was asked for, and as many of the cheap steps as the budget allows.
func (c *check) execute(ctx context.Context) error {
	chosen, err := c.chosen()
	if err != nil {
		return err
	}
	if err := os.Mkdir(c.remade(), 0o777); err != nil {
		return err
	}
	if c.p.Plan.Result >= 0 {
		keep := func(dir string) error { return os.CopyFS(c.remade(), os.DirFS(dir)) }
		if err := c.Execute(ctx, c.p.Plan.Result, keep); err != nil {
			return err
		}
	}
	for _, i := range chosen {
		if err := c.Execute(ctx, i, nil); err != nil {
			return err
		}
	}
	cheap := slices.DeleteFunc(c.Cheap(c.drawSeed()), func(i int) bool { return slices.Contains(chosen, i) })
	if c.opt.Budget == 0 {
		cheap = nil
	}
	done, err := c.ExecuteWithin(ctx, cheap, c.opt.Budget)
	if err != nil {
		return err
	}
	c.drawn = c.drawn || len(done) < len(cheap)
	c.notExecuted(append(done, chosen...))
	return nil
}

// chosen settles which steps were asked for.
func (c *check) chosen() ([]int, error) {
	var steps []int
	for _, word := range c.opt.Recompute {
		n, err := strconv.Atoi(word)
		switch {
		case err == nil && n < 0:
			return nil, fault.Usagef("--recompute %s: want a number of steps, the name of one, or all", word)
		case err == nil:
			c.drawn = true
			steps = append(steps, c.Sample(n, c.drawSeed())...)
		case word == "all":
			for i := range c.p.Plan.Steps {
				steps = append(steps, i)
			}
		default:
			i, err := c.p.Plan.Find(word)
			if err != nil {
				return nil, fault.Usage(err)
			}
			steps = append(steps, i)
		}
	}
	slices.Sort(steps)
	return slices.DeleteFunc(slices.Compact(steps), func(i int) bool { return i == c.p.Plan.Result }), nil
}

// drawSeed is the seed of everything that this audit draws.
func (c *check) drawSeed() uint64 {
	if c.seed == 0 {
		c.seed = uint64(rand.Uint32()) + 1
	}
	return c.seed
}

// notExecuted lists the steps that were taken at their word.
func (c *check) notExecuted(executed []int) {
	c.OnWord = map[string]int{}
	for i, step := range c.p.Plan.Steps {
		if i != c.p.Plan.Result && c.p.State.Status[i] == pipeline.Hit && !slices.Contains(executed, i) {
			c.OnWord[step.Kind]++
		}
	}
	for _, k := range c.Kinds {
		switch n := c.OnWord[k.Name]; n {
		case 0:
		case 1:
			c.Skip("that 1 "+k.Name+" step leaves the outputs that its entry lists", "the step was not executed again; --recompute executes it")
		default:
			c.Skip(fmt.Sprintf("that %d %s steps leave the outputs that their entries list", n, k.Name), "these steps were not executed again; --recompute executes them")
		}
	}
}
