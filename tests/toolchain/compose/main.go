// Loads a Compose project as Docker Compose does, and prints it as JSON: schema, interpolation, includes, files of
// variables, order of starts. Exit code 1 with the loader's message where it does not load.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/graph"
	"github.com/compose-spec/compose-go/v2/types"
)

func main() {
	if err := check(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func check(file string) error {
	options, err := cli.NewProjectOptions([]string{file}, cli.WithInterpolation(true), cli.WithResolvedPaths(true))
	if err != nil {
		return err
	}
	project, err := options.LoadProject(context.Background())
	if err != nil {
		return err
	}
	order := func(_ context.Context, name string, _ types.ServiceConfig) error {
		fmt.Fprintln(os.Stderr, name)
		return nil
	}
	if err := graph.InDependencyOrder(context.Background(), project, order); err != nil {
		return err
	}
	text, err := project.MarshalJSON()
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(text)
	return err
}
