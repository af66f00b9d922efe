package main

import (
	"fmt"
	"math"
	"regexp"
	"time"
)

var pinInText = regexp.MustCompile(`\b(\d{4}) (\d{4})\b`)

// Runner plays cases.
type Runner struct {
	world     *World
	service   *Service
	fragments map[string]*Case
}

// Play is one case while it is played.
type Play struct {
	*Runner
	variables Variables
	// seen is how many texts each phone had when the case last looked.
	seen map[string]int
}

// play returns the first difference.
func (r *Runner) play(c *Case) error {
	play := &Play{r, Variables{"agent": newAgent()}, map[string]int{}}
	persons := c.Persons
	if persons == nil {
		persons = map[string]string{"person": "new"}
	}
	for name, id := range persons {
		if err := play.claim(name, id); err != nil {
			return err
		}
	}
	return play.steps(c.Steps)
}

func (p *Play) claim(name, id string) error {
	person, err := p.world.person(id)
	if err != nil {
		return err
	}
	p.variables[name] = person
	if number, ok := person.(map[string]interface{})["mobile_number"].(string); ok {
		texts, err := p.world.texts(number)
		if err != nil {
			return err
		}
		p.seen[number] = len(texts)
	}
	return nil
}

func (p *Play) steps(steps []Step) error {
	for i, step := range steps {
		if err := p.step(step); err != nil {
			return fmt.Errorf("step %d, %w", i+1, err)
		}
	}
	return nil
}

func (p *Play) step(step Step) error {
	var err error
	switch {
	case step["call"] != nil:
		err = p.call(step)
		return wrap(fmt.Sprint(step["call"]), err)
	case step["sms"] != nil:
		return wrap("sms", p.sms(step))
	case step["claim"] != nil:
		return wrap("claim", p.claim(step["claim"].(string), "new"))
	case step["login"] != nil:
		return wrap("login", p.login(step, "/login", "login"))
	case step["agent_login"] != nil:
		return wrap("agent_login", p.login(step, "/agent-login", "agent_login"))
	case step["advance"] != nil:
		return wrap("advance", p.advance(step["advance"]))
	case step["gateway"] != nil:
		_, err = p.world.post("/gateway", step["gateway"])
		return wrap("gateway", err)
	case step["register"] != nil:
		_, err = p.world.post("/register", step["register"])
		return wrap("register", err)
	case step["set"] != nil:
		return wrap("set", p.set(step["set"]))
	case step["check"] != nil:
		return wrap("check", p.check(step))
	case step["do"] != nil:
		return wrap(step["do"].(string), p.do(step))
	case step["repeat"] != nil:
		return wrap("repeat", p.repeat(step))
	case step["reflection"] != nil:
		return wrap("reflection", p.reflection(step["reflection"]))
	}
	return fmt.Errorf("the step %v is not known", step)
}

func wrap(place string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", place, err)
}

func (p *Play) sms(step Step) error {
	resolved, err := p.variables.resolve(step["sms"])
	if err != nil {
		return err
	}
	sms := resolved.(map[string]interface{})
	number := sms["to"].(string)
	texts, err := p.world.texts(number)
	if err != nil {
		return err
	}
	fresh := texts[p.seen[number]:]
	p.seen[number] = len(texts)
	if err := (Matcher{}).match("texts", sms["texts"], fresh); err != nil {
		return err
	}
	if as, ok := step["as"].(string); ok {
		p.variables[as] = fresh
	}
	if name, ok := sms["pin"].(string); ok {
		found := pinInText.FindStringSubmatch(fmt.Sprint(texts[len(texts)-1]))
		if found == nil {
			return fmt.Errorf("the last text has no PIN")
		}
		p.variables[name] = found[1] + found[2]
	}
	return nil
}

// login keeps the answer under `as`, for a login with its nonce.
func (p *Play) login(step Step, path, key string) error {
	resolved, err := p.variables.resolve(step[key])
	if err != nil {
		return err
	}
	request := resolved.(map[string]interface{})
	if _, given := request["nonce"]; !given && key == "login" {
		request["nonce"] = newUUID()
	}
	answer, err := p.world.post(path, request)
	if err != nil {
		return err
	}
	fields := answer.(map[string]interface{})
	if key == "login" {
		fields["nonce"] = request["nonce"]
	}
	p.variables[step["as"].(string)] = fields
	return nil
}

// advance moves the clock, by seconds or to a time.
func (p *Play) advance(argument Value) error {
	resolved, err := p.variables.resolve(argument)
	if err != nil {
		return err
	}
	by, ok := resolved.(float64)
	if !ok {
		target := resolved.(map[string]interface{})
		to, err := time.Parse(time.RFC3339Nano, target["to"].(string))
		if err != nil {
			return err
		}
		if plus, ok := target["plus"]; ok {
			to = to.Add(seconds(plus))
		}
		now, err := p.world.now()
		if err != nil {
			return err
		}
		by = math.Ceil(to.Sub(now).Seconds())
	}
	_, err = p.world.post("/clock/advance", map[string]float64{"seconds": by})
	return err
}

func (p *Play) set(assignments Value) error {
	resolved, err := p.variables.resolve(assignments)
	if err != nil {
		return err
	}
	for name, value := range resolved.(map[string]interface{}) {
		p.variables[name] = value
	}
	return nil
}

func (p *Play) check(step Step) error {
	value, err := p.variables.resolve(step["check"])
	if err != nil {
		return err
	}
	expected, err := p.variables.resolve(step["is"])
	if err != nil {
		return err
	}
	return Matcher{}.match(step["check"].(string), expected, value)
}

func (p *Play) do(step Step) error {
	fragment, ok := p.fragments[step["do"].(string)]
	if !ok {
		return fmt.Errorf("there is no such fragment")
	}
	if with, ok := step["with"]; ok {
		if err := p.set(with); err != nil {
			return err
		}
	}
	return p.steps(fragment.Steps)
}

func (p *Play) repeat(step Step) error {
	var steps []Step
	for _, item := range step["steps"].([]interface{}) {
		steps = append(steps, item.(map[string]interface{}))
	}
	for i := 0; i < int(step["repeat"].(float64)); i++ {
		if err := p.steps(steps); err != nil {
			return fmt.Errorf("time %d: %w", i+1, err)
		}
	}
	return nil
}

func (p *Play) reflection(expected Value) error {
	listed, err := p.service.listServices()
	if err != nil {
		return err
	}
	for _, name := range expected.([]interface{}) {
		if !listed[name.(string)] {
			return fmt.Errorf("%v is not listed, but %v", name, listed)
		}
	}
	return nil
}
