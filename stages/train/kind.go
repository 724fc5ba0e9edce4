// Package train is the kind that trains a model. Training reads its units in an order of its own
// (BATCHES.md), saves what it would resume from under Partial, and leaves a checkpoint, a loss
// curve and what each unit really gave. A resumed training gives the bits of an uninterrupted one.
package train

import (
	"ablate/stages/kind"
	"ablate/stages/tables"
)

// history is apart from Kind because what a training saves names the version, too.
var history = []string{
	"first",
	"attn_out starts at init_std / sqrt(2 layers), as ff_out",
	"exponentials and GELU by fused multiply-adds; the gradient of the cross entropy from the exponentials of " +
		"its loss",
	"moments that are denormal become 0",
}

// Kind is the kind train.
var Kind = kind.Kind{
	Name:    kind.Train,
	History: history,
	Run:     train,
	Work:    kind.Trains,
	Unit:    "tokens",
	Needs:   needs,
	Speed:   speed,
	Probes:  true,
	Alike:   alike,
	Differ: tables.Differ{
		kind.OutCurve:   tables.RowsDiffer[tables.CurveRow],
		kind.OutShares:  tables.RowsDiffer[tables.ShareRow],
		kind.OutSources: tables.RowsDiffer[tables.SourceRow],
	}.Difference,
	Titles: map[string]string{
		kind.RoleSeed:      "seed model",
		kind.RoleUnit:      "unit models",
		kind.RolePartition: "partition models",
		kind.RoleSmall:     "small",
		kind.RoleReference: "reference models",
	},
	Origins: map[string]string{
		"model": "model+", "optimizer": "optimizer+", "optimizer.lr": "*.lr", "optimizer.warmup": "*.warmup", "optimizer.schedule": "*.schedule",
		"optimizer.final_lr": "*.final_lr", "tokens": "*.tokens", "batch": "*.batch", "sampling": "train.sampling", "seed": "*.seed",
		"start": "train.optimizer_state", "moments": "train.optimizer_state", "precision": "*.precision",
	},
}
