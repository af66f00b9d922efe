// Plays the contract cases against a sandbox, as docs/contract-tests.md describes them. Uses no code of the service, only the
// published descriptor set and the sandbox's HTTP interface.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"
)

const parallelCases = 8

func main() {
	grpcAddress := flag.String("grpc", os.Getenv("CONTRACT_TARGET_GRPC"), "HOST:PORT of the service")
	httpAddress := flag.String("http", os.Getenv("CONTRACT_TARGET_HTTP"), "URL of the sandbox's HTTP interface")
	only := flag.String("only", "", "play the cases whose name contains this")
	verdictFile := flag.String("verdicts", "", "write the verdicts to this file")
	folder := flag.String("cases", "tests/contract", "folder of the cases and the fragments")
	protoset := flag.String("protoset", "deploy/contract/temporarypin.protoset", "the contract")
	flag.Parse()
	log.SetFlags(0)

	files, err := filepath.Glob(filepath.Join(*folder, "cases", "*.yaml"))
	check(err)
	runner := &Runner{
		world:     &World{url: *httpAddress},
		service:   connect(*grpcAddress, *protoset),
		fragments: readYAML(filepath.Join(*folder, "fragments.yaml")).Fragments,
	}
	var together, alone []*Case
	for _, file := range files {
		for name, c := range readYAML(file).Cases {
			c.name = name
			if !strings.Contains(name, *only) {
				continue
			}
			if c.Alone {
				alone = append(alone, c)
			} else {
				together = append(together, c)
			}
		}
	}
	sort.Slice(alone, func(i, j int) bool { return alone[i].name < alone[j].name })
	verdicts := append(playTogether(runner, together), playOneByOne(runner, alone)...)
	report(verdicts, *verdictFile)
}

// Verdict is the outcome of a case: passed if there is no difference.
type Verdict struct {
	name       string
	difference error
}

func (v Verdict) String() string {
	if v.difference == nil {
		return "pass " + v.name
	}
	return "FAIL " + v.name
}

func playTogether(runner *Runner, cases []*Case) []Verdict {
	verdicts := make([]Verdict, len(cases))
	permits := make(chan struct{}, parallelCases)
	var running sync.WaitGroup
	for i, c := range cases {
		i, c := i, c
		running.Add(1)
		permits <- struct{}{}
		go func() {
			defer running.Done()
			verdicts[i] = Verdict{c.name, runner.play(c)}
			<-permits
		}()
	}
	running.Wait()
	return verdicts
}

func playOneByOne(runner *Runner, cases []*Case) []Verdict {
	var verdicts []Verdict
	for _, c := range cases {
		verdicts = append(verdicts, Verdict{c.name, runner.play(c)})
		check(runner.world.reset())
	}
	return verdicts
}

// report prints the verdicts. It ends with a status other than 0 if a case has failed or none was played.
func report(verdicts []Verdict, file string) {
	sort.Slice(verdicts, func(i, j int) bool { return verdicts[i].name < verdicts[j].name })
	var lines strings.Builder
	failed := len(verdicts) == 0
	for _, verdict := range verdicts {
		lines.WriteString(strings.ToLower(verdict.String()) + "\n")
		fmt.Println(verdict)
		if verdict.difference != nil {
			failed = true
			fmt.Printf("  %v\n", verdict.difference)
		}
	}
	if file != "" {
		check(os.WriteFile(file, []byte(lines.String()), 0o644))
	}
	if failed {
		log.Fatalf("%d cases played, some failed", len(verdicts))
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
