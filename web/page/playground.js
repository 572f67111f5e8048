// The playground's page: GraphiQL with Parley's examples, the local agents'
// tokens where the server offers them, and subscriptions over one WebSocket
// each (graphql-transport-ws, bundled with GraphiQL).
//
// Tokens stay in memory: GraphiQL is told not to store headers, and fills the
// header editor from the chosen agent at every start.
"use strict";

(() => {
  const config = JSON.parse(document.getElementById("config").textContent);
  const endpoint = new URL(config.endpoint, location.href);
  let storage; // the chosen agent's tabs and history
  const agentKey = "parley.agent";
  const root = ReactDOM.createRoot(document.getElementById("graphiql"));
  const element = (id) => document.getElementById(id);
  const say = (text) => { element("status").textContent = text; };

  let mounts = 0;
  let openPane = null; // the title of the docs or history beside the editors, also for the next agent

  // The secret in the address that parley serve printed. What stands behind # is
  // sent to nobody by the browser.
  const key = new URLSearchParams(location.hash.slice(1)).get("key");

  // Another address in the same tab: only its end differs.
  addEventListener("hashchange", () => location.reload());

  // The agents a local developer may act as, with a token each; empty when this
  // server does not hand any out to this page.
  async function loadSessions() {
    if (!config.sessions || !key) return [];
    const response = await fetch(config.sessions, {
      headers: { "X-Parley-Playground": key },
      credentials: "omit",
    });
    if (response.status === 403) throw new Error("this address is of another run; open the one that parley serve printed last");
    if (!response.ok) throw new Error(`the local tokens could not be had (${response.status})`);
    return (await response.json()).sessions;
  }

  // An Authorization header that is still to be filled in is not sent.
  const withoutBlankToken = (headers = {}) =>
    Object.fromEntries(Object.entries(headers).filter(
      ([name, value]) => name.toLowerCase() !== "authorization" || !/^\s*(bearer)?\s*$/i.test(value)));

  const post = (url, init) => fetch(url, { ...init, headers: withoutBlankToken(init.headers) });

  // GraphiQL asks for the schema before its header editor is there.
  const schemaWith = (session, fetcher) => (params, options) => {
    const ask = session && params.operationName === "IntrospectionQuery";
    const token = ask ? { Authorization: `Bearer ${session.token}` } : {};
    return fetcher(params, { ...options, headers: { ...token, ...options?.headers } });
  };

  function socketURL() {
    const url = new URL(endpoint);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    return url.href;
  }

  function randomKey() {
    const bytes = crypto.getRandomValues(new Uint8Array(12));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  // The ids that make the examples run as they are: a conversation of the agent, with its
  // record and an action for it, a component, and a colleague.
  async function idsFor(token) {
    if (!token) return {};
    try {
      const response = await fetch(endpoint, {
        method: "POST",
        headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` },
        body: JSON.stringify({ query: config.placeholders }),
      });
      const { viewer, agents, conversations, components } = (await response.json()).data;
      const conversation = conversations.nodes[0];
      return {
        CONVERSATION_ID: conversation?.id,
        RECORD_ID: conversation?.record?.id,
        ACTION_ID: conversation?.availableActions.find((a) => a.isAvailable)?.action.id,
        COMPONENT_ID: components.nodes[0]?.id,
        COLLEAGUE_ID: agents.find(({ id }) => id !== viewer.agent.id)?.id,
      };
    } catch {
      return {}; // the examples then keep their placeholders
    }
  }

  const mostFrames = 20;

  // A subscription's last frames, the newest on top, and what it ended with.
  function keepingFrames(source) {
    const frames = source[Symbol.asyncIterator]();
    let count = 0;
    let shown = [];
    const show = (name, value) => {
      shown = [[name, value], ...shown].slice(0, mostFrames);
      return { done: false, value: Object.fromEntries(shown) };
    };
    const next = async () => {
      try {
        const { done, value } = await frames.next();
        return done ? { done, value } : show(`frame ${++count}, ${new Date().toLocaleTimeString()}`, value);
      } catch (error) {
        if (count === 0) throw error;
        return show("ended", error instanceof Error ? error.message : error);
      }
    };
    const kept = { next, return: () => frames.return(), [Symbol.asyncIterator]: () => kept };
    return kept;
  }

  const withFrames = (fetcher) => async (params, options) => {
    const result = await fetcher(params, options);
    return result?.[Symbol.asyncIterator] ? keepingFrames(result) : result;
  };

  const headersFor = (session) =>
    JSON.stringify({ Authorization: `Bearer ${session ? session.token : ""}` }, null, 2);

  const fill = (text, ids) =>
    text.replace(/NEW_KEY|[A-Z]+_ID/g, (name) =>
      (name === "NEW_KEY" ? randomKey() : ids[name] || name));

  function mount(session, ids) {
    const headers = headersFor(session);
    storage = GraphiQL.createLocalStorage({ namespace: `parley.${session ? session.agent : ""}` });
    const fetcher = GraphiQL.createFetcher({
      url: endpoint.href,
      subscriptionUrl: socketURL(),
      enableIncrementalDelivery: false,
      fetch: post,
    });
    const props = {
      key: ++mounts, // another agent: another GraphiQL, with another schema request
      fetcher: schemaWith(session, withFrames(fetcher)),
      storage,
      visiblePlugin: openPane,
      onTogglePluginVisibility: (plugin) => { openPane = plugin?.title ?? null; },
      defaultHeaders: headers,
      defaultEditorToolsVisibility: "variables",
      defaultTabs: config.examples.map(({ query, variables }) =>
        ({ query, variables: fill(variables, ids), headers })),
      shouldPersistHeaders: false,
      showPersistHeadersSettings: false,
    };
    const logo = React.createElement(GraphiQL.Logo, null, " ");
    root.render(React.createElement(GraphiQL, props, logo));
  }

  const status = (session) => {
    if (session) return `Acting as ${session.agent}, with the token in the Headers tab.`;
    if (config.sessions && !key) return "Open the address that parley serve printed to act as an agent, or paste a token into the Headers tab.";
    return "Paste a token into the Headers tab: parley token AGENT prints one.";
  };

  async function show(session) {
    mount(session, await idsFor(session && session.token));
    say(status(session));
  }

  function offerAgents(sessions) {
    if (sessions.length === 0) return null;
    const picker = element("agent");
    picker.replaceChildren(...sessions.map(({ agent, label }) => new Option(label || agent, agent)));
    const find = (agent) => sessions.find((session) => session.agent === agent);
    picker.addEventListener("change", () => {
      localStorage.setItem(agentKey, picker.value);
      show(find(picker.value));
    });
    const chosen = find(localStorage.getItem(agentKey)) || sessions[0];
    picker.value = chosen.agent;
    element("agent-label").hidden = false;
    return chosen;
  }

  element("reset").addEventListener("click", () => {
    storage?.clear();
    location.reload();
  });

  loadSessions().then(offerAgents).then(show).catch((error) => {
    show(null);
    say(`No agent: ${error.message}.`);
  });
})();
