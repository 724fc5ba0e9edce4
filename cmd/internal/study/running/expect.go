package running

import (
	"context"
	"fmt"
	"time"

	"ablate/cmd/internal/study"
	"ablate/cmd/internal/study/timing"
	"ablate/runner"
)

// probeTime bounds what a run spends on measurements before it begins. A plan of the same study has
// made them already.
const probeTime = timing.ProbeTime

// expectation is how long the steps of a study are expected to take, before and while they run.
type expectation struct {
	r     *running
	track *timing.Track // nil: there is no estimate

	began    time.Time
	whole    bool // the first estimate was of all of the study
	outcome  timing.Outcome
	estimate bool // one was made
}

// make estimates what is left of a study, and tells that. A study whose plan has grown is estimated
// anew.
func (x *expectation) make(ctx context.Context, p *study.Compiled) error {
	if p.State.Plan != p.Plan {
		if err := p.Resolve(); err != nil {
			return err
		}
	}
	x.close()
	f, err := timing.Of(ctx, x.r.s, p, x.r.Jobs, probeTime)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil { // a step that has the same trouble says so when it is reached
		x.r.s.Say(study.Note{Text: fmt.Sprintf("how long the run takes is not known: %v", err)})
		return nil
	}
	again := x.estimate
	if !again {
		x.began, x.whole = time.Now(), f.Until == ""
	}
	if !again || !x.whole {
		x.outcome.Estimated += f.Seconds
		x.outcome.Expected += f.CoreSeconds
		x.r.s.Say(Expects{Study: p.Study.Name, Estimate: f.Estimate})
	}
	x.estimate, x.track = true, f.Track()
	return nil
}

// left is how long the run goes on for after an event; nil: the event says nothing of that.
func (x *expectation) left(e runner.Event) *time.Duration {
	if x.track == nil {
		return nil
	}
	left, ok := x.track.Event(e)
	if !ok {
		return nil
	}
	return &left
}

// close ends the estimate that is followed now.
func (x *expectation) close() {
	if x.track != nil {
		x.outcome.CoreSeconds += x.track.Close().CoreSeconds
		x.track = nil
	}
}

// end says how the estimate did, once all steps are done; nil where there was none.
func (x *expectation) end() *timing.Outcome {
	x.close()
	if !x.estimate {
		return nil
	}
	x.outcome.Took = time.Since(x.began).Seconds()
	return &x.outcome
}
