package quicktext_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/ent"
	"parley/ent/agent"
	"parley/ent/queue"
	"parley/internal/check/parleytest"
	"parley/internal/desk/feed"
	"parley/internal/desk/rule"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

type vars = parleytest.Vars

// bundle is a desk with a queue of its own: amy and sue work it, bo does not, and ada
// is the administrator.
type bundle struct {
	*parleytest.Parley
	queue string
	made  int
}

func setup(t *testing.T) *bundle {
	b := &bundle{Parley: parleytest.New(t)}
	require.NoError(t, b.Directory.Change(b.System(), func(ctx context.Context, tx *store.Tx) error {
		members := tx.Ent.Agent.Query().Where(agent.UsernameIn("amy", "sue")).IDsX(ctx)
		return tx.Ent.Queue.Create().SetName("Repairs").AddMemberIDs(members...).Exec(ctx)
	}))
	for _, q := range b.As("amy").Do(`{ viewer { queues { id name } } }`, nil).Get("viewer", "queues").List() {
		if q.Get("name").String() == "Repairs" {
			b.queue = q.Get("id").String()
		}
	}
	require.NotEmpty(t, b.queue)
	return b
}

const selection = `{ quickText { id title text folder scope queue { name } createdBy { username } useCount isArchived viewerCanEdit } errors { code field message } }`

func (b *bundle) create(username, title, scope string, more vars) parleytest.Tree {
	b.T.Helper()
	b.made++
	input := vars{"title": title, "text": title + "!", "scope": scope, "idempotencyKey": fmt.Sprintf("key-%d", b.made)}
	if scope == "QUEUE" {
		input["queueId"] = b.queue
	}
	for k, v := range more {
		input[k] = v
	}
	return b.As(username).Do(`mutation($i: CreateQuickTextInput!) { createQuickText(input: $i) `+selection+` }`, vars{"i": input}).Get("createQuickText")
}

func (b *bundle) update(username, id string, more vars) parleytest.Tree {
	b.T.Helper()
	input := vars{"id": id}
	for k, v := range more {
		input[k] = v
	}
	return b.As(username).Do(`mutation($i: UpdateQuickTextInput!) { updateQuickText(input: $i) `+selection+` }`, vars{"i": input}).Get("updateQuickText")
}

func (b *bundle) use(username, id string) parleytest.Tree {
	b.T.Helper()
	return b.As(username).Do(`mutation($id: ID!) { useQuickText(input: {id: $id}) `+selection+` }`, vars{"id": id}).Get("useQuickText")
}

func (b *bundle) titles(username string, filter vars) (titles []string) {
	b.T.Helper()
	list := b.As(username).Do(`query($f: QuickTextFilter) { quickTexts(first: 100, filterBy: $f) { nodes { title } } }`, vars{"f": filter})
	for _, q := range list.Get("quickTexts", "nodes").List() {
		titles = append(titles, q.Get("title").String())
	}
	return titles
}

func code(payload parleytest.Tree) string {
	if errs := payload.Get("errors").List(); len(errs) > 0 {
		return errs[0].Get("code").String()
	}
	return ""
}

// Every agent through every way to a quick text, of every scope.
func TestEveryoneSeesAndEditsWhatTheirShelfAllows(t *testing.T) {
	t.Parallel()
	b := setup(t)
	rights := map[string]map[string]string{ // by creator and scope: who may see, or edit too
		"amy MINE":  {"amy": "edit"},
		"bo MINE":   {"bo": "edit"},
		"amy QUEUE": {"amy": "edit", "sue": "see", "ada": "edit"},
		"ada ALL":   {"amy": "see", "bo": "see", "sue": "see", "ada": "edit"},
	}
	for of, who := range rights {
		creator, scope, _ := strings.Cut(of, " ")
		made := b.create(creator, of, scope, nil)
		require.Empty(t, code(made), of)
		id := made.Get("quickText", "id").String()
		for _, username := range []string{"amy", "bo", "sue", "ada"} {
			name := of + " by " + username
			sees, edits := who[username] != "", who[username] == "edit"
			want := map[bool]string{true: "", false: "NOT_FOUND"}[sees]
			require.Equal(t, sees, len(b.titles(username, vars{"search": of})) == 1, name)
			for _, document := range []string{`query($id: ID!) { quickText(id: $id) { id } }`, `query($id: ID!) { node(id: $id) { id } }`} {
				require.Equal(t, sees, len(b.As(username).Raw(document, vars{"id": id}).Codes()) == 0, name)
			}
			require.Equal(t, want, code(b.use(username, id)), name)
			if sees {
				require.Equal(t, edits, b.use(username, id).Get("quickText", "viewerCanEdit").Bool(), name)
				want = map[bool]string{true: "", false: "FORBIDDEN"}[edits]
			}
			require.Equal(t, want, code(b.update(username, id, vars{"folder": username})), name)
		}
	}
	require.Equal(t, "FORBIDDEN", code(b.create("amy", "x", "ALL", nil)))
	require.Equal(t, "FORBIDDEN", code(b.create("bo", "x", "QUEUE", nil)))
	require.Empty(t, code(b.create("sue", "x", "QUEUE", nil)))
	require.Empty(t, code(b.create("ada", "x", "QUEUE", nil)), "no member, but sees and configures all")
	require.Equal(t, "NOT_FOUND", code(b.create("amy", "x", "QUEUE", vars{"queueId": "que_0000000000000"})))
	require.Equal(t, "NOT_FOUND", code(b.create("amy", "x", "QUEUE", vars{"queueId": "qtx_0000000000000"})))
	require.Equal(t, []string{"NOT_FOUND"}, b.As("bo").Raw(`{ quickText(id: "qtx_0000000000000") { id } }`, nil).Codes())
}

func TestAQuickTextIsCreatedOnceAndChanged(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made := b.create("amy", "Opening hours", "MINE", vars{"text": "Dear {{Contact.Name}}, we open at nine.", "folder": "Shop", "idempotencyKey": "once"})
	want := `{"createdBy":{"username":"amy"},"folder":"Shop","id":"%s","isArchived":false,"queue":null,"scope":"MINE",` +
		`"text":"Dear {{Contact.Name}}, we open at nine.","title":"Opening hours","useCount":0,"viewerCanEdit":true}`
	id := made.Get("quickText", "id").String()
	require.Equal(t, fmt.Sprintf(want, id), made.Get("quickText").String())
	again := b.create("amy", "Opening hours", "MINE", vars{"text": "Dear {{Contact.Name}}, we open at nine.", "folder": "Shop", "idempotencyKey": "once"})
	require.Equal(t, id, again.Get("quickText", "id").String())
	require.Equal(t, "IDEMPOTENCY_CONFLICT", code(b.create("amy", "Another", "MINE", vars{"idempotencyKey": "once"})))

	b.use("amy", id)
	require.Equal(t, 2, b.use("amy", id).Get("quickText", "useCount").Int())
	changed := b.update("amy", id, vars{"title": "Hours", "folder": ""}).Get("quickText")
	require.Equal(t, "Hours", changed.Get("title").String())
	require.Empty(t, changed.Get("folder").String())
	require.Equal(t, "Dear {{Contact.Name}}, we open at nine.", changed.Get("text").String(), "what is absent stays")
	require.Equal(t, "Repairs", b.create("amy", "Of the queue", "QUEUE", nil).Get("quickText", "queue", "name").String())
}

func TestTheListIsByTitleAndFiltered(t *testing.T) {
	t.Parallel()
	b := setup(t)
	seeded := len(b.titles("amy", nil))
	for _, title := range []string{"zebra", "Écran cassé", "apple", "Best regards", "best wishes", "100 % off", "a_b", "Return/refund", "新しい日本語"} {
		require.Empty(t, code(b.create("amy", title, "MINE", vars{"folder": strings.ToUpper(title[:1])})))
	}
	old := b.create("amy", "old", "MINE", nil).Get("quickText", "id").String()
	b.update("amy", old, vars{"isArchived": true})
	b.create("ada", "Everybody's", "ALL", nil)
	b.create("amy", "Of the queue", "QUEUE", nil)
	for _, c := range []struct {
		filter vars
		want   []string
	}{
		{vars{"search": "be"}, []string{"Best regards", "best wishes"}},
		{vars{"search": "ecran"}, []string{"Écran cassé"}},
		{vars{"search": "CASS"}, []string{"Écran cassé"}},
		{vars{"search": "best w"}, []string{"best wishes"}},
		{vars{"search": "%"}, nil},
		{vars{"search": "ppl"}, nil},
		{vars{"search": " "}, b.titles("amy", nil)},
		{vars{"search": "refund"}, []string{"Return/refund"}},
		{vars{"search": "日本"}, []string{"新しい日本語"}},
		{vars{"folder": "Z"}, []string{"zebra"}},
		{vars{"isArchived": true}, []string{"old"}},
		{vars{"scope": "ALL", "search": "every"}, []string{"Everybody's"}},
		{vars{"queueId": b.queue}, []string{"Of the queue"}},
		{vars{"queueId": "que_0000000000000"}, nil},
	} {
		require.ElementsMatch(t, c.want, b.titles("amy", c.filter), c.filter)
	}
	all := b.titles("amy", nil)
	require.Len(t, all, seeded+11)
	var walked []string
	page := `query($after: String) { quickTexts(first: 2, after: $after) { edges { cursor node { title } } pageInfo { hasNextPage endCursor } } }`
	for after := vars(nil); ; {
		p := b.As("amy").Do(page, after).Get("quickTexts")
		for _, e := range p.Get("edges").List() {
			walked = append(walked, e.Get("node", "title").String())
		}
		if !p.Get("pageInfo", "hasNextPage").Bool() {
			break
		}
		after = vars{"after": p.Get("pageInfo", "endCursor").String()}
	}
	require.Equal(t, all, walked)
	inOrder := slices.DeleteFunc(slices.Clone(all), func(title string) bool { return !slices.Contains([]string{"apple", "best wishes", "zebra"}, title) })
	require.Equal(t, []string{"apple", "best wishes", "zebra"}, inOrder)
	require.Equal(t, []string{"BAD_INPUT"}, b.As("amy").Raw(page, vars{"after": "x"}).Codes())
	end := b.As("amy").Do(page, nil).Get("quickTexts", "pageInfo", "endCursor").String()
	require.Equal(t, []string{"BAD_INPUT"}, b.As("bo").Raw(page, vars{"after": end}).Codes(), "of one that bo does not see")
}

func TestWhatDoesNotFitIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for field, more := range map[string]vars{
		"input.title":   {"title": strings.Repeat("é", 201)},
		"input.text":    {"text": " \u200b "},
		"input.folder":  {"folder": strings.Repeat("x", 201)},
		"input.queueId": {"queueId": "x"},
	} {
		refused := b.create("amy", "x", "MINE", more)
		require.Equal(t, "BAD_INPUT", code(refused), field)
		require.Equal(t, field, refused.Get("errors", 0, "field").String())
	}
	require.Empty(t, code(b.create("amy", strings.Repeat("é", 200), "MINE", vars{"text": strings.Repeat("😀", 10_000)})))
	id := b.create("amy", "!?", "MINE", nil).Get("quickText", "id").String()
	require.Equal(t, []string{"!?"}, b.titles("amy", vars{"search": "!"}))
	require.Equal(t, "BAD_INPUT", code(b.update("amy", id, vars{"title": ""})))
	require.Empty(t, code(b.create("amy", strings.Repeat("ﷺﷺﷺﷺ ", 40), "MINE", nil)), "a title that is far longer when it is compared")
	require.Equal(t, []string{"BAD_INPUT"}, b.As("amy").Raw(`query($s: String) { quickTexts(filterBy: {search: $s}) { nodes { id } } }`, vars{"s": strings.Repeat("x", 201)}).Codes())
}

// An id of another kind names nothing, whatever row has its number.
func TestAnIDOfAnotherKindNamesNoQuickText(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ids := []string{b.queue}
	for _, list := range []string{"agents", "channels"} {
		for _, o := range b.As("ada").Do(`{ `+list+` { id } }`, nil).Get(list).List() {
			ids = append(ids, o.Get("id").String())
		}
	}
	for _, id := range ids {
		require.Equal(t, []string{"NOT_FOUND"}, b.As("ada").Raw(`query($id: ID!) { quickText(id: $id) { id } }`, vars{"id": id}).Codes())
		require.Equal(t, "NOT_FOUND", code(b.update("ada", id, vars{"folder": "x"})))
		require.Equal(t, "NOT_FOUND", code(b.use("ada", id)))
		require.Equal(t, []string{"NOT_FOUND"}, b.As("ada").Raw(`query($id: ID!) { bulkOperation(id: $id) { id } }`, vars{"id": id}).Codes())
		if id != b.queue {
			require.Empty(t, b.titles("ada", vars{"queueId": id}))
		}
	}
}

// Lists read the texts only if they are selected, and many long ones are too much for
// one answer.
func TestTextsAreReadWhenTheyAreSelected(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const longs = 60
	require.NoError(t, b.Store.Write(b.System(), func(ctx context.Context, tx *store.Tx) error {
		amy := tx.Ent.Agent.Query().Where(agent.Username("amy")).OnlyIDX(ctx)
		for i := range longs {
			tx.Ent.QuickText.Create().SetTitle(fmt.Sprint("long ", i)).SetText(strings.Repeat("😀", 10_000)).SetScope(string(rule.Mine)).
				SetCreatorID(amy).SetCreatedAt(tx.Now).ExecX(ctx)
		}
		return nil
	}))
	titles := strings.Repeat(` a%: quickTexts(first: 100) { nodes { id } }`, 10)
	for i := range 10 {
		titles = strings.Replace(titles, "%", fmt.Sprint(i), 1)
	}
	require.Empty(t, b.As("amy").Raw("{"+titles+"}", nil).Codes())
	full := strings.ReplaceAll(titles, "{ id }", "{ text }")
	require.Contains(t, b.As("amy").Raw("{"+full+"}", nil).Codes(), "LIMIT_EXCEEDED")
	one := b.As("amy").Do(`{ quickTexts(first: 1, filterBy: {search: "long"}) { nodes { text } } }`, nil)
	require.Len(t, one.Get("quickTexts", "nodes", 0, "text").String(), 40_000)
}

// What the policy lets through is what Shelf says, of each shelf and agent.
func TestThePolicyIsTheShelf(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var rows []*ent.QuickText
	require.NoError(t, b.Store.Write(b.System(), func(ctx context.Context, tx *store.Tx) error {
		queues, agents := tx.Ent.Queue.Query().IDsX(ctx), tx.Ent.Agent.Query().IDsX(ctx)
		for _, creator := range agents {
			for _, scope := range []rule.Scope{rule.Mine, rule.Everyone, rule.OfQueue, "LATER"} {
				for _, q := range append(queues, 0) {
					create := tx.Ent.QuickText.Create().SetTitle("x").SetText("x").SetScope(string(scope)).SetCreatorID(creator).SetCreatedAt(tx.Now)
					if q != 0 {
						create.SetQueueID(q)
					}
					rows = append(rows, create.SaveX(ctx))
				}
			}
		}
		return nil
	}))
	for _, username := range []string{"amy", "bo", "sue", "ada"} {
		ctx := b.Context(username)
		v := viewer.FromContext(ctx)
		seen := b.Store.Ent.QuickText.Query().IDsX(ctx)
		for _, row := range rows {
			shelf := rule.ShelfOf(row)
			require.Equal(t, shelf.Sees(v), slices.Contains(seen, row.ID), "%s %+v", username, shelf)
			err := b.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
				return tx.Ent.QuickText.UpdateOneID(row.ID).SetFolder("x").Exec(ctx)
			})
			require.Equal(t, shelf.Edits(v), err == nil, "%s %+v: %v", username, shelf, err)
		}
	}
}

// Each agent's stream shows what they see, and goes on where a list was read.
func TestTheStreamShowsWhatIsSeen(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Run()
	from := b.As("sue").Do(`{ quickTexts { feedCursor } }`, nil).Get("quickTexts", "feedCursor").String()
	b.create("amy", "Hers alone", "MINE", nil)
	id := b.create("amy", "Of the queue", "QUEUE", nil).Get("quickText", "id").String()
	const document = `subscription($after: Cursor) { quickTextsChanged(after: $after) { kind cursor quickTextId quickText { title isArchived viewerCanEdit } } }`
	sue, bo := b.As("sue").Subscribe(document, vars{"after": from}), b.As("bo").Subscribe(document, vars{"after": from})
	next := func(s *parleytest.Socket) string {
		f := s.Next().Get("quickTextsChanged")
		require.Equal(t, f.Get("kind").String() == "OPEN" || f.Get("kind").String() == "RESET", f.Get("quickTextId").IsNull())
		return f.Get("kind").String() + " " + f.Get("quickText").String()
	}
	require.Equal(t, "OPEN ", next(sue))
	require.Equal(t, "OPEN ", next(bo))
	require.Equal(t, `ENTER {"isArchived":false,"title":"Of the queue","viewerCanEdit":false}`, next(sue))
	b.use("sue", id) // no event
	b.update("amy", id, vars{"title": "Of the queue"})
	b.update("amy", id, vars{"isArchived": true})
	require.Equal(t, `UPDATE {"isArchived":true,"title":"Of the queue","viewerCanEdit":false}`, next(sue))
	b.create("ada", "Everybody's", "ALL", nil)
	require.Equal(t, `ENTER {"isArchived":false,"title":"Everybody's","viewerCanEdit":false}`, next(sue))
	require.Equal(t, `ENTER {"isArchived":false,"title":"Everybody's","viewerCanEdit":false}`, next(bo), "and of nothing before")

	require.NoError(t, b.Directory.Change(b.System(), func(ctx context.Context, tx *store.Tx) error {
		bos := tx.Ent.Agent.Query().Where(agent.Username("bo")).OnlyIDX(ctx)
		return tx.Ent.Queue.Update().Where(queue.Name("Repairs")).AddMemberIDs(bos).Exec(ctx)
	}))
	require.Equal(t, "RESET ", next(bo))
	require.NoError(t, b.Store.Write(b.System(), func(_ context.Context, tx *store.Tx) error { // as a move would be recorded
		key, _ := b.Conversations.IDs.Decode(publicid.QuickText, id)
		return feed.Record(tx, &feed.Event{Cause: feed.SubjectChanged, Subject: &feed.Subject{
			Kind: publicid.QuickText, Key: key, Before: []byte(`{"s":"ALL"}`), After: []byte(`{"s":"MINE","c":1000}`),
		}})
	}))
	require.Equal(t, "LEAVE ", next(bo))
	require.Equal(t, "LEAVE ", next(sue))
	b.update("ada", id, vars{"isArchived": false})
	require.Equal(t, `UPDATE {"isArchived":false,"title":"Of the queue","viewerCanEdit":false}`, next(bo))
}
