// The viewer's page. Everything that came from a program is set as text, never as markup: elements are made by `el`.
"use strict";

const KINDS = {
  llm: "LLM",
  embedding: "Embedding",
  retrieval: "Retrieval",
  tool: "Tool",
  agent: "Agent",
  task: "Task",
  workflow: "Workflow",
};
const STATUSES = { ok: "OK", error: "Error", recovered: "Recovered", incomplete: "Incomplete" };
const STATUS_HINTS = {
  recovered: "It ended well, though spans beneath it failed",
  incomplete: "A span that others belong under did not arrive: it never ended, or another process has it",
};
const ROWS = 300;
const EARLIER = 8;
const LONG_TEXT = 1500;
const LONG_LINES = 24;
const PICTURES = /^image\/(png|jpeg|gif|webp)$/;
const SOUNDS = /^audio\/[\w.+-]+$/;
const BASE64 = /^[A-Za-z0-9+/=\s]+$/;

const $ = (id) => document.getElementById(id);

// ---------------------------------------------------------------- elements

/** Make an element: `class`, `text`, `on` (listeners), `style` (custom properties), any other name is an attribute. */
function el(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "class") made.className = value;
    else if (name === "text") made.textContent = value;
    else if (name === "on")
      for (const [event, listener] of Object.entries(value)) made.addEventListener(event, listener);
    else if (name === "style") for (const [key, each] of Object.entries(value)) made.style.setProperty(key, each);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(
    ...children
      .flat(Infinity)
      .filter((child) => child !== null && child !== undefined && child !== false && child !== ""),
  );
  return made;
}

function svg(tag, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

const kindBadge = (kind) =>
  el("span", { class: `kind kind-${kind in KINDS ? kind : "apm"}`, text: KINDS[kind] ?? "APM" });
const statusBadge = (status) =>
  el("span", { class: `status status-${status}`, text: STATUSES[status], title: STATUS_HINTS[status] });

// ---------------------------------------------------------------- numbers

const integer = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const figure = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 6 });
const clock = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});
const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

function duration(ms) {
  if (ms >= 60000) return `${Math.floor(ms / 60000)} min ${Math.round((ms % 60000) / 1000)} s`;
  if (ms >= 1000) return `${(ms / 1000).toFixed(2)} s`;
  if (ms === 0) return "0 ms";
  return ms >= 10 ? `${ms.toFixed(0)} ms` : `${ms.toFixed(1)} ms`;
}

/** A price in USD with two digits that count: single calls cost fractions of a cent. */
function cost(usd) {
  if (!(usd > 0)) return "$0";
  return `$${usd.toFixed(Math.min(20, Math.max(2, 1 - Math.floor(Math.log10(usd)))))}`;
}

function tokens(row) {
  if (!row.input_tokens && !row.output_tokens) return "–";
  return `${row.estimated ? "~" : ""}${integer.format(row.input_tokens)} → ${integer.format(row.output_tokens)}`;
}

function median(values) {
  const sorted = values.slice().sort((a, b) => a - b);
  return sorted.length ? sorted[Math.floor((sorted.length - 1) / 2)] : null;
}

// ---------------------------------------------------------------- state

const state = {
  rows: new Map(), // by id of the trace
  status: null, // of the program that has ended
  lost: false, // whether the server is gone
  metricsVersion: 0,
  metrics: [],
  trace: null,
  span: null, // id
  folded: new Set(), // ids of spans whose children are hidden
  everything: false, // spans of APM that lead to no LLM span, too
  unfolded: new Set(), // long texts that are shown whole
  open: new Map(), // whether a section is, by its title
  limit: ROWS,
};
const report = $("data") ? JSON.parse($("data").textContent) : null;

const form = $("filters");
const filters = () => Object.fromEntries(new FormData(form));

function shownRows() {
  const { text, model, status, kind, session, others } = filters();
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return [...state.rows.values()]
    .filter(
      (row) =>
        (others || row.llm > 0 || !hasLLM()) &&
        (!model || row.models.includes(model)) &&
        (!status || row.status === status) &&
        (!kind || row.kinds.includes(kind)) &&
        (!session || row.sessions.includes(session)) &&
        words.every((word) => row.text.includes(word)),
    )
    .sort((a, b) => b.start - a.start);
}

const hasLLM = () => [...state.rows.values()].some((row) => row.llm > 0);

// ---------------------------------------------------------------- list

const made = new WeakMap(); // rows' elements

function rowElement(row) {
  if (!made.has(row)) made.set(row, makeRow(row));
  return made.get(row);
}

function makeRow(row) {
  const failed = row.status === "error" || row.status === "recovered";
  const second =
    failed && row.error
      ? el("span", { class: "why", text: row.error })
      : el("span", { class: "answered", text: row.answered });
  const [model = "–", ...others] = row.models;
  const open = () => {
    location.hash = `#/trace/${row.id}`;
  };
  return el(
    "tr",
    {
      "data-id": row.id,
      on: {
        click: (event) => {
          if (!event.target.closest("a")) open();
        },
      },
    },
    el("td", { class: "time", "data-label": "Time", title: day.format(row.start), text: clock.format(row.start) }),
    el(
      "td",
      { class: "request", "data-label": "Request" },
      el("a", { href: `#/trace/${row.id}`, text: row.asked || row.title }),
      el("span", { class: "second" }, el("code", { text: row.title }), second),
    ),
    el(
      "td",
      { class: "model", "data-label": "Model", title: row.models.join(", ") },
      el(
        "div",
        {},
        el("span", { text: model }),
        others.length > 0 && el("span", { class: "muted", text: `+${others.length}` }),
      ),
    ),
    el("td", {
      class: "num",
      "data-label": "Tokens",
      title: row.estimated ? "Estimated: no provider counted them" : null,
      text: tokens(row),
    }),
    el("td", { class: "num", "data-label": "Cost", text: row.cost === null ? "–" : cost(row.cost) }),
    el("td", {
      class: "num",
      "data-label": "First token",
      text: row.first_token === null ? "–" : duration(row.first_token),
    }),
    el("td", { class: "num", "data-label": "Duration", text: duration(row.duration) }),
    el("td", { "data-label": "Status" }, statusBadge(row.status)),
  );
}

function fillSelect(name, all, values, names = {}) {
  const select = form.elements[name];
  const chosen = select.value;
  const wanted = ["", ...values.sort()];
  select.hidden = values.length === 0;
  if (wanted.join("\n") === [...select.options].map((option) => option.value).join("\n")) return;
  select.replaceChildren(
    ...wanted.map((value) =>
      el("option", { value, text: value ? (names[value] ?? value) : all, selected: value === chosen }),
    ),
  );
}

function tile(label, value, hint) {
  return el("div", { title: hint }, el("dt", { text: label }), el("dd", { text: value }));
}

function renderList() {
  const all = [...state.rows.values()];
  const distinct = (name) => [...new Set(all.flatMap((row) => row[name]))];
  fillSelect("model", "All models", distinct("models"));
  fillSelect("status", "All statuses", [...new Set(all.map((row) => row.status))], STATUSES);
  fillSelect("kind", "All kinds", distinct("kinds"), KINDS);
  fillSelect("session", "All sessions", distinct("sessions"));
  const others = all.filter((row) => row.llm === 0).length;
  $("others-label").hidden = !others || !hasLLM();
  $("others-label").lastElementChild.textContent = `${integer.format(others)} without LLM calls`;

  const rows = shownRows();
  const { text, model, status, kind, session } = filters();
  const filtered = Boolean(text || model || status || kind || session);
  form.querySelector("[type=reset]").hidden = !filtered;
  const sum = (name) => rows.reduce((total, row) => total + (row[name] ?? 0), 0);
  const failed = rows.filter((row) => row.status === "error").length;
  const recovered = rows.filter((row) => row.status === "recovered").length;
  const took = median(rows.filter((row) => row.llm).map((row) => row.duration));
  const first = median(rows.map((row) => row.first_token).filter((value) => value !== null));
  $("totals").replaceChildren(
    tile("Traces", integer.format(rows.length)),
    tile("LLM spans", integer.format(sum("llm"))),
    tile(
      "Tokens in → out",
      `${rows.some((row) => row.estimated) ? "~" : ""}${integer.format(sum("input_tokens"))} → ${integer.format(sum("output_tokens"))}`,
    ),
    tile("Cost", rows.some((row) => row.cost !== null) ? cost(sum("cost")) : "–"),
    tile("Errors", recovered ? `${failed} · ${recovered} recovered` : String(failed)),
    tile("Median duration", took === null ? "–" : duration(took)),
    tile("Median first token", first === null ? "–" : duration(first)),
  );

  $("shown").textContent = filtered ? `${integer.format(rows.length)} of ${integer.format(all.length)} traces` : "";
  const table = $("rows").parentElement;
  table.hidden = rows.length === 0;
  const focused = document.activeElement?.closest("#rows tr")?.dataset.id;
  const wanted = rows.slice(0, state.limit).map(rowElement);
  if (wanted.length !== $("rows").children.length || wanted.some((row, index) => row !== $("rows").children[index])) {
    $("rows").replaceChildren(...wanted);
    // An element that is moved loses the focus.
    if (focused)
      wanted
        .find((row) => row.dataset.id === focused)
        ?.querySelector("a")
        .focus({ preventScroll: true });
  }
  $("more").hidden = rows.length <= state.limit;
  $("more").textContent = `Show more (${integer.format(rows.length - state.limit)} left)`;
  const empty = $("empty");
  empty.hidden = rows.length > 0;
  empty.replaceChildren(
    el("h2", {
      text: filtered
        ? "No trace matches"
        : state.status === null && !report
          ? "Waiting for the first trace"
          : "No traces arrived",
    }),
    el("p", {
      text: filtered
        ? "Clear a filter to see more."
        : state.status === null && !report
          ? "They appear here as the program makes its calls; nothing has to be reloaded."
          : "Did the program call LiteLLM, in an environment with ddtrace and ddtrace-litellm?",
    }),
  );
}

// ---------------------------------------------------------------- trace: waterfall

function children(trace) {
  const ids = new Set(trace.spans.map((span) => span.id));
  const beneath = new Map();
  for (const span of trace.spans) {
    const parent = ids.has(span.parent) && span.parent !== span.id ? span.parent : null;
    if (!beneath.has(parent)) beneath.set(parent, []);
    beneath.get(parent).push(span);
  }
  return beneath;
}

/** The spans to show, from top to bottom, each with its depth and whether something is beneath it. */
function visibleSpans(trace) {
  const some = trace.spans.some((span) => span.leading);
  const wanted = (span) => state.everything || !some || span.leading;
  const beneath = children(trace);
  const found = [];
  const seen = new Set();
  const stack = (beneath.get(null) ?? [])
    .filter(wanted)
    .map((span) => [span, 0])
    .reverse();
  while (stack.length) {
    const [span, depth] = stack.pop();
    if (seen.has(span.id)) continue;
    seen.add(span.id);
    const below = (beneath.get(span.id) ?? []).filter(wanted);
    found.push({ span, depth, below: below.length });
    if (!state.folded.has(span.id)) stack.push(...below.map((each) => [each, depth + 1]).reverse());
  }
  return found;
}

function ticks(whole) {
  const rough = whole / 4;
  const power = 10 ** Math.floor(Math.log10(rough || 1));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= rough) || 1;
  const found = [];
  for (let at = 0; at <= whole * 0.9; at += step) found.push(at);
  return found;
}

function waterfallRow({ span, depth, below }, whole) {
  const { llm, error } = span;
  const percent = (ms) => `${Math.min(100, (100 * ms) / whole).toFixed(3)}%`;
  const first = llm?.metrics.time_to_first_token;
  const attempt = llm?.metadata.attempt_number;
  const folded = state.folded.has(span.id);
  const target = llm ? llm.model : (span.apm["http.url"] ?? (span.resource !== span.name ? span.resource : ""));
  const label = [KINDS[llm?.kind] ?? "APM", span.title, target, duration(span.duration), error ? error.why : ""];
  return el(
    "div",
    {
      role: "treeitem",
      class: `span${error ? " failed" : ""}${llm ? "" : " plain"}`,
      "data-id": span.id,
      "aria-level": depth + 1,
      "aria-selected": span.id === state.span ? "true" : "false",
      "aria-expanded": below ? String(!folded) : null,
      "aria-label": label.filter(Boolean).join(", "),
      tabindex: span.id === state.span ? 0 : -1,
      style: { "--depth": depth },
      on: { click: (event) => (event.target.closest(".fold") ? fold(span.id, !folded) : select(span.id)) },
    },
    el(
      "div",
      { class: "name" },
      el("span", {
        class: `fold${below ? "" : " none"}`,
        "aria-hidden": "true",
        text: below ? (folded ? "▸" : "▾") : "",
      }),
      kindBadge(llm?.kind),
      el("span", { class: "title", text: span.title, title: span.title }),
      target && el("span", { class: "model", text: target, title: target }),
      attempt && el("span", { class: `attempt${error ? " bad" : ""}`, text: `attempt ${attempt}` }),
    ),
    el(
      "div",
      { class: "track" },
      el(
        "div",
        {
          class: `bar bar-${error ? "error" : llm?.kind in KINDS ? llm.kind : "apm"}`,
          style: { "--left": percent(span.start), "--width": percent(span.duration) },
        },
        first !== undefined &&
          el("div", {
            class: "wait",
            title: `First token after ${duration(first * 1000)}`,
            style: { "--width": `${Math.min(100, (100000 * first) / (span.duration || 1))}%` },
          }),
      ),
    ),
    el("div", { class: "took num", text: duration(span.duration) }),
    error && el("div", { class: "why", text: error.why, title: error.message }),
  );
}

function renderWaterfall() {
  const { trace } = state;
  const whole = Math.max(trace.duration, 0.001);
  const shown = visibleSpans(trace);
  if (!shown.some(({ span }) => span.id === state.span)) state.span = shown[0]?.span.id ?? null;
  const hidden = trace.spans.filter((span) => !span.leading).length;
  const focused = Boolean(document.activeElement?.closest("#waterfall [role=treeitem]"));
  const top = $("waterfall").querySelector(".spans")?.scrollTop ?? 0;
  const axis = el(
    "div",
    { class: "axis", "aria-hidden": "true" },
    ticks(whole).map((at) =>
      el("span", { style: { "--left": `${(100 * at) / whole}%` }, text: at ? duration(at) : "0" }),
    ),
  );
  $("waterfall").replaceChildren(
    el(
      "div",
      { class: "scale" },
      el(
        "div",
        { class: "counts" },
        `${integer.format(trace.spans.length)} span${trace.spans.length === 1 ? "" : "s"}`,
        hidden > 0 &&
          hidden < trace.spans.length &&
          el(
            "label",
            { class: "check" },
            el("input", {
              type: "checkbox",
              checked: state.everything,
              on: {
                change: (event) => {
                  state.everything = event.target.checked;
                  renderWaterfall();
                  renderPanel();
                },
              },
            }),
            ` HTTP and other APM spans (${integer.format(hidden)})`,
          ),
      ),
      axis,
      el("div", { class: "took" }),
    ),
    el(
      "div",
      { role: "tree", class: "spans", "aria-label": "Spans", on: { keydown: treeKeys } },
      shown.map((each) => waterfallRow(each, whole)),
    ),
  );
  $("waterfall").querySelector(".spans").scrollTop = top;
  if (focused) treeItem(state.span)?.focus({ preventScroll: true });
}

const treeItem = (id) => $("waterfall").querySelector(`[data-id="${CSS.escape(id ?? "")}"]`);

function fold(id, folded) {
  if (folded) state.folded.add(id);
  else state.folded.delete(id);
  renderWaterfall();
}

function select(id, { focus = true } = {}) {
  if (state.span !== id) {
    const before = treeItem(state.span);
    before?.setAttribute("aria-selected", "false");
    before?.setAttribute("tabindex", "-1");
    state.span = id;
    history.replaceState(null, "", `#/trace/${state.trace.id}/${id}`);
    renderPanel();
  }
  const item = treeItem(id);
  item?.setAttribute("aria-selected", "true");
  item?.setAttribute("tabindex", "0");
  if (focus) item?.focus();
}

function treeKeys(event) {
  const items = [...$("waterfall").querySelectorAll("[role=treeitem]")];
  const at = items.findIndex((item) => item.dataset.id === state.span);
  const span = state.trace.spans.find((each) => each.id === state.span);
  const go = (index) => items[index] && select(items[index].dataset.id);
  const moves = {
    ArrowDown: () => go(at + 1),
    j: () => go(at + 1),
    ArrowUp: () => go(at - 1),
    k: () => go(at - 1),
    Home: () => go(0),
    End: () => go(items.length - 1),
    ArrowRight: () =>
      state.folded.has(span.id) ? fold(span.id, false) : items[at].hasAttribute("aria-expanded") && go(at + 1),
    ArrowLeft: () =>
      items[at].getAttribute("aria-expanded") === "true"
        ? fold(span.id, true)
        : treeItem(span.parent) && select(span.parent),
    Enter: () => $("panel").focus(),
  };
  if (event.altKey || event.ctrlKey || event.metaKey || !moves[event.key] || event.target.closest("input")) return;
  event.preventDefault();
  event.stopPropagation();
  moves[event.key]();
}

// ---------------------------------------------------------------- trace: head

function fact(label, value, hint) {
  return el("div", { title: hint }, el("dt", { text: label }), el("dd", {}, value));
}

function renderHead() {
  const { trace } = state;
  const row = state.rows.get(trace.id);
  // A page of a file has no clipboard in some browsers.
  const copy =
    navigator.clipboard &&
    el("button", {
      type: "button",
      class: "quiet copy",
      text: "Copy",
      "aria-label": "Copy the trace's id",
      on: {
        click: async () => {
          await navigator.clipboard.writeText(trace.id);
          copy.textContent = "Copied";
        },
      },
    });
  const warning =
    trace.lost_parents.length > 0 &&
    el("p", {
      class: "warning",
      text:
        `Incomplete: span ${trace.lost_parents.join(", ")}, which others belong under, did not arrive. It never ended, or another process has it. ` +
        "Outside of try, ddtrace sends nothing of a trace before all its spans have ended.",
    });
  $("trace-head").replaceChildren(
    el("a", { class: "back", href: "#/" }, el("span", { "aria-hidden": "true", text: "← " }), "Traces"),
    el("h1", { text: row?.asked || row?.title || trace.id }),
    el("dl", { class: "facts" }, [
      row && fact("Status", statusBadge(row.status)),
      fact("Started", day.format(trace.start)),
      fact("Duration", duration(trace.duration)),
      row?.first_token != null && fact("First token", duration(row.first_token)),
      row && fact("Tokens", tokens(row), row.estimated ? "Estimated: no provider counted them" : null),
      row?.cost != null && fact("Cost", cost(row.cost)),
      row?.sessions.length > 0 && fact("Session", row.sessions.join(", ")),
      fact("Trace", el("span", {}, el("code", { text: trace.id }), copy)),
    ]),
    warning || "",
  );
}

// ---------------------------------------------------------------- what was said

/** JSON of a text, where it is an object or a list whose numbers JavaScript does not round. */
function parsed(value) {
  if (typeof value !== "string") return value;
  const text = value.trim();
  if (!/^[[{]/.test(text) || /\d{16,}/.test(text.replace(/"(?:[^"\\]|\\.)*"/g, ""))) return value;
  try {
    return JSON.parse(text);
  } catch {
    return value;
  }
}

/** JSON, laid out. */
function json(value) {
  const text = JSON.stringify(value, null, 2) ?? "";
  const box = el("pre", { class: "json", tabindex: 0 });
  let at = 0;
  for (const match of text.matchAll(
    /("(?:[^"\\]|\\.)*")(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g,
  )) {
    box.append(text.slice(at, match.index));
    const [whole, string, colon] = match;
    box.append(
      el("span", { class: string ? (colon ? "key" : "string") : "number", text: string ?? whole }),
      colon ?? "",
    );
    at = match.index + whole.length;
  }
  box.append(text.slice(at));
  return clamped(box, text);
}

/** A long text begins folded. */
function clamped(box, text) {
  if (state.unfolded.has(text) || (text.length <= LONG_TEXT && text.split("\n").length <= LONG_LINES)) return box;
  box.classList.add("clamped");
  const more = el("button", {
    type: "button",
    class: "quiet more",
    text: `Show all (${integer.format(text.length)} characters)`,
    on: {
      click: () => {
        state.unfolded.add(text);
        box.classList.remove("clamped");
        more.remove();
      },
    },
  });
  return el("div", {}, box, more);
}

/** A text as it was said, its fenced code set apart, JSON laid out. */
function said(value) {
  const found = parsed(value);
  if (typeof found !== "string") return found === null || found === undefined ? el("span") : json(found);
  const box = el("div", { class: "said" });
  found.split(/^```[^\n]*\n?/m).forEach((part, index) => {
    if (part)
      box.append(
        index % 2
          ? el("pre", { class: "code", tabindex: 0, text: part.replace(/\n$/, "") })
          : el("span", { text: part }),
      );
  });
  return clamped(box, found);
}

function attachments(message) {
  const found = [];
  for (const name of ["image_parts", "audio_parts", "file_parts"]) {
    for (const part of message[name] ?? []) {
      const type = String(part.mime_type ?? "");
      const source = BASE64.test(part.content ?? "") ? `data:${type};base64,${part.content}` : null;
      if (source && PICTURES.test(type)) found.push(el("img", { src: source, alt: `Attached picture (${type})` }));
      else if (source && SOUNDS.test(type))
        found.push(el("audio", { src: source, controls: true, "aria-label": `Attached sound (${type})` }));
      else found.push(el("span", { class: "chip", text: `${name.replace("_parts", "")} ${type}`.trim() }));
    }
  }
  return found.length ? el("div", { class: "attachments" }, found) : null;
}

/** Results of tool calls by the call's id: of this span first, then of the others of the trace, if only one has it. */
function toolResults(span) {
  const found = new Map();
  const twice = new Set();
  const collect = (from, own) => {
    for (const side of ["input", "output"]) {
      for (const message of messagesOf(from.llm?.[side]) ?? []) {
        for (const result of message.tool_results ?? []) {
          if (!result.tool_id) continue;
          const known = found.get(result.tool_id);
          if (known && !known.own && known.result.result !== result.result) twice.add(result.tool_id);
          if (!known) found.set(result.tool_id, { result, own, from });
        }
      }
    }
  };
  collect(span, true);
  for (const each of state.trace.spans) if (each.id !== span.id) collect(each, false);
  for (const id of twice) found.delete(id);
  return found;
}

/** The messages of an input or output; those of a workflow are JSON in its value. */
function messagesOf(content) {
  if (content?.messages?.length) return content.messages;
  const value = parsed(content?.value);
  const are =
    Array.isArray(value) && value.length && value.every((each) => each && typeof each === "object" && "role" in each);
  return are ? value.map(openAIMessage) : null;
}

/** A message in OpenAI's own form, in which a workflow has it, as LLM Observability has the others. */
function openAIMessage(message) {
  const calls = (Array.isArray(message.tool_calls) ? message.tool_calls : []).map((call) => ({
    name: call?.name ?? call?.function?.name,
    arguments: call?.arguments ?? call?.function?.arguments,
    tool_id: call?.tool_id ?? call?.id,
  }));
  if (message.role === "tool" && message.tool_call_id) {
    return {
      role: "tool",
      content: "",
      tool_results: [{ name: message.name, result: message.content, tool_id: message.tool_call_id }],
    };
  }
  return { ...message, tool_calls: calls };
}

function toolCall(call, results, used) {
  const answer = results.get(call.tool_id);
  if (answer?.own) used.add(answer.result);
  return el(
    "div",
    { class: "call" },
    el(
      "header",
      {},
      el("span", { class: "call-name", text: call.name || "tool" }),
      call.tool_id && el("code", { text: call.tool_id }),
    ),
    el(
      "div",
      { class: "beside" },
      el("div", {}, el("h5", { text: "Arguments" }), said(call.arguments ?? "")),
      el(
        "div",
        {},
        el("h5", { text: "Result" }),
        answer ? said(answer.result.result ?? "") : el("p", { class: "none", text: "None in this trace" }),
        answer && !answer.own && el("p", { class: "from" }, "given to ", spanLink(answer.from.id, answer.from.title)),
      ),
    ),
  );
}

function message(each, results, used) {
  const role = String(each.role ?? "message");
  const calls = each.tool_calls ?? [];
  const left = (each.tool_results ?? []).filter((result) => !used.has(result));
  if (each.tool_results?.length && !left.length && !each.content && !attachments(each)) return null;
  const known = ["system", "developer", "user", "assistant", "tool", "reasoning"].includes(role) ? role : "other";
  const body = [
    each.content !== "" && each.content !== undefined && each.content !== null && said(each.content),
    attachments(each),
    calls.map((call) => toolCall(call, results, used)),
    left.map((result) =>
      el(
        "div",
        { class: "call" },
        el(
          "header",
          {},
          el("span", { class: "call-name", text: result.name || "tool" }),
          el("code", { text: result.tool_id ?? "" }),
        ),
        el("div", {}, el("h5", { text: "Result" }), said(result.result ?? "")),
      ),
    ),
  ];
  if (role === "reasoning") {
    return el(
      "details",
      { class: "message role-reasoning" },
      el(
        "summary",
        {},
        "Reasoning ",
        el("span", { class: "count", text: `${integer.format(String(each.content ?? "").length)} characters` }),
      ),
      body,
    );
  }
  const empty = !body.flat().some(Boolean);
  return el(
    "div",
    { class: `message role-${known}` },
    el("h4", { text: role }),
    empty ? el("p", { class: "none", text: "Empty" }) : body,
  );
}

function conversation(span) {
  const { llm } = span;
  const asked = messagesOf(llm.input);
  const answered = messagesOf(llm.output);
  const results = toolResults(span);
  const used = new Set();
  const sides = [];
  if (asked) {
    const all = asked.map((each) => message(each, results, used)).filter(Boolean);
    const earlier = all.length > EARLIER && !state.unfolded.has(span.id) ? all.splice(1, all.length - EARLIER) : [];
    if (earlier.length) {
      const more = el("button", {
        type: "button",
        class: "quiet earlier",
        text: `Show ${earlier.length} earlier messages`,
        on: {
          click: () => {
            state.unfolded.add(span.id);
            more.replaceWith(...earlier);
          },
        },
      });
      all.splice(1, 0, more);
    }
    sides.push(...all);
  } else if (hasValue(llm.input)) sides.push(value("Input", llm.input.value));
  if (answered) {
    const heard = answered
      .filter((each) => !isNothing(each))
      .map((each) => message(each, results, used))
      .filter(Boolean);
    if (heard.length) sides.push(el("div", { class: "turn" }, el("span", { text: "Output" })), ...heard);
  } else if (hasValue(llm.output)) sides.push(value("Output", llm.output.value));
  return sides.length ? el("div", { class: "conversation" }, sides) : null;
}

const hasValue = (content) => content?.value !== undefined && content?.value !== null && content?.value !== "";
// A failed call has an output of one message without anything in it: that is nobody saying nothing.
const isNothing = (each) => !each.role && !each.content && !each.tool_calls?.length && !each.tool_results?.length;
const value = (label, said_) => el("div", { class: "message role-other" }, el("h4", { text: label }), said(said_));

function documents(label, found) {
  const highest = Math.max(...found.map((each) => Number(each.score) || 0), 0);
  return section(
    `${label} documents`,
    el(
      "ol",
      { class: "documents" },
      found.map((each) =>
        el(
          "li",
          {},
          el(
            "header",
            {},
            el("span", { class: "call-name", text: each.name || each.id || "document" }),
            each.id && each.name && el("code", { text: each.id }),
            each.score !== undefined &&
              el(
                "span",
                { class: "score" },
                el("span", {
                  class: "meter",
                  "aria-hidden": "true",
                  style: { "--width": `${highest > 0 ? Math.max(0, (100 * each.score) / highest) : 0}%` },
                }),
                figure.format(each.score),
              ),
          ),
          said(each.text ?? ""),
        ),
      ),
    ),
    { count: found.length },
  );
}

// ---------------------------------------------------------------- span panel

function section(title, body, { count, foldable = false } = {}) {
  const head = [title, count !== undefined && el("span", { class: "count", text: integer.format(count) })];
  if (!foldable) return el("section", { class: "part" }, el("h3", {}, head), body);
  return el(
    "details",
    {
      class: "part",
      open: state.open.get(title) ?? false,
      on: { toggle: (event) => state.open.set(title, event.target.open) },
    },
    el("summary", {}, el("h3", {}, head)),
    body,
  );
}

function table(entries) {
  return el(
    "table",
    { class: "pairs" },
    el(
      "tbody",
      {},
      entries.map(([name, each]) =>
        el(
          "tr",
          {},
          el("th", { scope: "row", text: name }),
          el(
            "td",
            {},
            typeof parsed(each) === "object" && each !== null ? json(parsed(each)) : el("span", { text: String(each) }),
          ),
        ),
      ),
    ),
  );
}

const spanLink = (id, title) => el("a", { href: `#/trace/${state.trace.id}/${id}`, text: title });

/** A bar of parts and what they are. */
function stack(parts, format) {
  const whole = parts.reduce((total, part) => total + part.value, 0);
  return el(
    "div",
    { class: "stack" },
    el(
      "div",
      { class: "stack-bar", "aria-hidden": "true" },
      parts
        .filter((part) => part.value > 0)
        .map((part) =>
          el("span", {
            class: `fill-${part.fill}`,
            style: { "--width": `${(100 * part.value) / (whole || 1)}%` },
            title: `${part.label} ${format(part.value)}`,
          }),
        ),
    ),
    el(
      "ul",
      { class: "legend" },
      parts.map((part) =>
        el(
          "li",
          {},
          el("span", { class: `dot fill-${part.fill}`, "aria-hidden": "true" }),
          `${part.label} `,
          el("b", { text: format(part.value) }),
        ),
      ),
    ),
  );
}

function usage(span) {
  const { metrics, metadata, estimated } = span.llm;
  const found = [];
  const { input_tokens: input, output_tokens: output } = metrics;
  const read = metrics.cache_read_input_tokens ?? 0;
  const written = metrics.cache_write_input_tokens ?? 0;
  const reasoning = metrics.reasoning_output_tokens ?? 0;
  if (input !== undefined || output !== undefined) {
    const cached = read || written;
    found.push(
      section(
        "Tokens",
        el(
          "div",
          {},
          el(
            "p",
            { class: "sum" },
            el("b", { text: `${estimated ? "~" : ""}${integer.format(input ?? 0)}` }),
            " in → ",
            el("b", { text: `${estimated ? "~" : ""}${integer.format(output ?? 0)}` }),
            " out",
            estimated && el("span", { class: "none", text: "  estimated: no provider counted them" }),
          ),
          stack(
            [
              ...(read ? [{ label: "read from cache", value: read, fill: "read" }] : []),
              ...(written ? [{ label: "written to cache", value: written, fill: "write" }] : []),
              {
                label: cached ? "input, not cached" : "input",
                value: Math.max(0, (input ?? 0) - read - written),
                fill: "input",
              },
              ...(reasoning ? [{ label: "reasoning", value: reasoning, fill: "reasoning" }] : []),
              {
                label: reasoning ? "output, the rest" : "output",
                value: Math.max(0, (output ?? 0) - reasoning),
                fill: "output",
              },
            ],
            (each) => integer.format(each),
          ),
        ),
      ),
    );
  }
  if (metrics.total_cost !== undefined) {
    const parts = [
      ["input", "input_cost", "input"],
      ["output", "output_cost", "output"],
    ].filter(([, name]) => metrics[name] !== undefined);
    const more = Object.entries(metrics).filter(
      ([name]) => name.endsWith("_cost") && !["total_cost", "input_cost", "output_cost"].includes(name),
    );
    found.push(
      section(
        "Cost",
        el(
          "div",
          {},
          el("p", { class: "sum" }, el("b", { text: cost(metrics.total_cost) })),
          parts.length > 0 &&
            stack(
              parts.map(([label, name, fill]) => ({ label, value: metrics[name], fill })),
              cost,
            ),
          more.length > 0 && table(more.map(([name, each]) => [name, cost(each)])),
          metadata.saved_cache_cost !== undefined &&
            el("p", { class: "none", text: `LiteLLM's cache saved ${cost(metadata.saved_cache_cost)}` }),
        ),
      ),
    );
  }
  return found;
}

function attempts(span) {
  const { metadata } = span.llm;
  const beneath = state.trace.spans.filter((each) => each.parent === span.id && each.llm?.metadata.attempt_number);
  const known = new Set(beneath.map((each) => each.llm.metadata.attempt_number));
  const others = (Array.isArray(metadata.failed_attempts) ? metadata.failed_attempts : []).filter(
    (each) => each && !known.has(each.attempt_number),
  );
  if (beneath.length + others.length === 0 || (beneath.length === 1 && !others.length && !beneath[0].error))
    return null;
  const lines = [
    ...beneath.map((each) => ({
      number: each.llm.metadata.attempt_number,
      name: spanLink(each.id, each.llm.model || each.title),
      provider: each.llm.provider,
      took: duration(each.duration),
      error: each.error?.why,
    })),
    ...others.map((each) => ({
      number: each.attempt_number,
      name: el("span", { text: each.model ?? each.model_group ?? each.deployment_id ?? "" }),
      provider: "",
      took: "",
      error: String(each.error ?? "failed"),
    })),
  ].sort((a, b) => a.number - b.number);
  return section(
    "Attempts",
    el(
      "ol",
      { class: "attempts" },
      lines.map((each) =>
        el(
          "li",
          { class: each.error ? "bad" : "good" },
          el("span", { class: "number", text: each.number }),
          el(
            "div",
            {},
            el(
              "p",
              {},
              each.name,
              each.provider && el("span", { class: "muted", text: ` · ${each.provider}` }),
              el("span", { class: "muted num", text: each.took }),
            ),
            el("p", { class: each.error ? "why" : "muted", text: each.error ?? "answered" }),
          ),
        ),
      ),
    ),
    { count: lines.length },
  );
}

function prompt(found) {
  const template = found.chat_template ?? found.template;
  const marked = (text) => {
    const box = el("div", { class: "said" });
    String(text)
      .split(/(\{\{?\s*[\w.]+\s*\}?\})/)
      .forEach((part, index) => box.append(index % 2 ? el("mark", { text: part }) : part));
    return box;
  };
  const variables = Object.entries(found.variables ?? {});
  const names = [
    ["id", found.id ?? found.name],
    ["version", found.version],
    ["label", found.label],
  ].filter(([, each]) => each);
  return section(
    "Prompt",
    el(
      "div",
      {},
      names.length > 0 && table(names),
      variables.length > 0 && [el("h4", { text: "Variables" }), table(variables)],
      template && [
        el("h4", { text: "Template" }),
        Array.isArray(template)
          ? el(
              "div",
              { class: "conversation" },
              template.map((each) =>
                el(
                  "div",
                  { class: "message role-other" },
                  el("h4", { text: String(each.role ?? "") }),
                  marked(each.content ?? ""),
                ),
              ),
            )
          : el("div", { class: "message role-other" }, marked(template)),
      ],
    ),
  );
}

function evaluations(found) {
  return section(
    "Evaluations",
    el(
      "table",
      { class: "pairs" },
      el(
        "tbody",
        {},
        found.map((each) =>
          el(
            "tr",
            {},
            el("th", { scope: "row", text: each.label }),
            el(
              "td",
              {},
              el("span", {
                class: `status ${each.assessment === "fail" ? "status-error" : each.assessment === "pass" ? "status-ok" : "status-neutral"}`,
                text: typeof each.value === "object" ? JSON.stringify(each.value) : String(each.value ?? ""),
              }),
              each.reasoning && el("p", { text: each.reasoning }),
              each.metadata && json(each.metadata),
            ),
          ),
        ),
      ),
    ),
    { count: found.length },
  );
}

function links(span) {
  const arrows = [
    ...(span.llm?.links ?? []).map((link) => ({
      id: link.id,
      text: `its ${link.to || "input"} comes from the ${link.from || "output"} of`,
    })),
    ...state.trace.spans.flatMap((other) =>
      (other.llm?.links ?? [])
        .filter((link) => link.id === span.id && other.id !== span.id)
        .map((link) => ({ id: other.id, text: `its ${link.from || "output"} becomes the ${link.to || "input"} of` })),
    ),
  ];
  if (!arrows.length) return null;
  const title = (id) => state.trace.spans.find((each) => each.id === id);
  return section(
    "Links",
    el(
      "ul",
      { class: "links" },
      arrows.map((arrow) =>
        el(
          "li",
          {},
          `${arrow.text} `,
          title(arrow.id)
            ? [kindBadge(title(arrow.id).llm?.kind), " ", spanLink(arrow.id, title(arrow.id).title)]
            : el("code", { text: arrow.id }),
        ),
      ),
    ),
    { count: arrows.length },
  );
}

function definitions(tools) {
  return section(
    "Tool definitions",
    el(
      "div",
      {},
      tools.map((tool) =>
        el(
          "details",
          { class: "call" },
          el(
            "summary",
            {},
            el("span", { class: "call-name", text: tool.name || "tool" }),
            " ",
            el("span", { class: "muted", text: tool.description ?? "" }),
          ),
          tool.schema !== undefined && json(tool.schema),
        ),
      ),
    ),
    { count: tools.length, foldable: true },
  );
}

function renderPanel() {
  const span = state.trace.spans.find((each) => each.id === state.span);
  if (!span) {
    $("panel").replaceChildren();
    return;
  }
  const { llm, error } = span;
  const keep = $("panel").dataset.span === span.id ? unfoldedParts() : () => {};
  $("panel").dataset.span = span.id;
  const first = llm?.metrics.time_to_first_token;
  const notes = llm
    ? [
        llm.metadata.finish_reason && `finish reason ${llm.metadata.finish_reason}`,
        llm.metadata.cache_hit === true && "from LiteLLM's cache",
        llm.metadata.stream_completed === false && "stream not read to its end",
        llm.metadata.client_disconnected === true && "client went away",
      ].filter(Boolean)
    : [];
  const tags = Object.entries(llm?.tags ?? {})
    .filter(([, each]) => each !== "")
    .sort();
  const metadata = Object.entries(llm?.metadata ?? {}).sort();
  const apm = Object.entries(span.apm)
    .filter(([name]) => !name.startsWith("_"))
    .sort();
  const inputPrompt = llm?.input.prompt;
  $("panel").replaceChildren(
    ...[
      el(
        "header",
        { class: "panel-head" },
        el("h2", {}, kindBadge(llm?.kind), " ", span.title),
        llm?.model &&
          el(
            "p",
            { class: "of-model" },
            llm.model,
            llm.provider && el("span", { class: "muted", text: ` · ${llm.provider}` }),
          ),
        el("dl", { class: "facts" }, [
          fact("Status", statusBadge(error ? "error" : "ok")),
          fact("Duration", duration(span.duration)),
          fact("Began", `+${duration(span.start)}`),
          first !== undefined && fact("First token", duration(first * 1000)),
          span.service && fact("Service", span.service),
          fact("Span", el("code", { text: span.id })),
        ]),
        notes.length > 0 &&
          el(
            "p",
            { class: "notes" },
            notes.map((note) => el("span", { class: "chip", text: note })),
          ),
      ),
      error &&
        section(
          "Error",
          el(
            "div",
            { class: "error" },
            el("p", {}, el("b", { text: error.type })),
            el("p", { class: "said", text: error.message }),
            error.stack &&
              el(
                "details",
                {},
                el("summary", { text: "Stack" }),
                el("pre", { class: "code", tabindex: 0, text: error.stack }),
              ),
          ),
        ),
      llm && attempts(span),
      llm && conversationPart(span),
      llm?.input.documents?.length > 0 && documents("Input", llm.input.documents),
      llm?.output.documents?.length > 0 && documents("Output", llm.output.documents),
      span.evaluations.length > 0 && evaluations(span.evaluations),
      ...(llm ? usage(span) : []),
      inputPrompt && prompt(inputPrompt),
      llm?.tool_definitions.length > 0 && definitions(llm.tool_definitions),
      links(span),
      metadata.length > 0 && section("Metadata", table(metadata), { count: metadata.length, foldable: true }),
      tags.length > 0 && section("Tags", table(tags), { count: tags.length, foldable: true }),
      llm &&
        Object.keys(llm.metrics).length > 0 &&
        section("All figures", table(Object.entries(llm.metrics).sort()), {
          count: Object.keys(llm.metrics).length,
          foldable: true,
        }),
      apm.length > 0 &&
        section("APM span", table([["name", span.name], ["resource", span.resource], ...apm]), {
          count: apm.length + 2,
          foldable: true,
        }),
    ].filter(Boolean),
  );
  keep();
}

/** Remember what is unfolded and focused in the panel; return what unfolds and focuses it again. */
function unfoldedParts() {
  const panel = $("panel");
  const focusable = () => [...panel.querySelectorAll("a, button, summary, pre")];
  const open = [...panel.querySelectorAll("details")].map((each) => each.open);
  const focused = focusable().indexOf(document.activeElement);
  return () => {
    const details = [...panel.querySelectorAll("details")];
    if (details.length === open.length)
      details.forEach((each, index) => {
        each.open = open[index];
      });
    if (focused >= 0) focusable()[focused]?.focus({ preventScroll: true });
  };
}

function conversationPart(span) {
  const found = conversation(span);
  return found && section(span.llm.kind === "tool" ? "Call" : "Conversation", found);
}

// ---------------------------------------------------------------- metrics

const openMetrics = new Set();

/** What came of a metric: bars of a count, a line of a gauge. */
function sparkline(entry) {
  const values = entry.points.map(([, each]) => each).slice(-48);
  if (!values.length) return "";
  const [width, height] = [168, 28];
  const highest = Math.max(...values, 0);
  const lowest = Math.min(...values, 0);
  const y = (each) => 2 + (height - 4) * (1 - (each - lowest) / (highest - lowest || 1));
  const label = `${values.length} values, the last ${figure.format(values.at(-1))}, the highest ${figure.format(highest)}`;
  const step = Math.min(12, width / values.length);
  const x = (index) => width - (values.length - index) * step;
  const shapes =
    entry.type === "gauge"
      ? [
          svg("polyline", {
            points: [...values, values.at(-1)]
              .map((each, index) => `${x(index).toFixed(1)},${y(each).toFixed(1)}`)
              .join(" "),
          }),
        ]
      : values.map((each, index) =>
          svg("rect", {
            x: (x(index) + 0.5).toFixed(1),
            width: Math.max(1, step - 2).toFixed(1),
            y: y(each).toFixed(1),
            height: Math.max(1, height - 2 - y(each)).toFixed(1),
            rx: 1,
          }),
        );
  return svg(
    "svg",
    {
      class: `spark spark-${entry.type}`,
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      role: "img",
      "aria-label": label,
    },
    Object.assign(document.createElementNS("http://www.w3.org/2000/svg", "title"), { textContent: label }),
    ...shapes,
  );
}

function metricValue(entry) {
  if (entry.type === "check") return statusOfCheck(entry.value);
  if (entry.value === null) return el("span", { class: "muted", text: `${entry.count} values` });
  return /_?(spend|cost)/.test(entry.name) && entry.type === "count" ? cost(entry.value) : figure.format(entry.value);
}

const statusOfCheck = (status) =>
  el("span", { class: `status status-${{ ok: "ok", warning: "recovered" }[status] ?? "error"}`, text: status });

function renderMetrics() {
  const words = $("metric-text").value.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = state.metrics.filter((entry) =>
    words.every(
      (word) =>
        entry.name.toLowerCase().includes(word) ||
        entry.series.some((each) => each.tags.some((tag) => tag.toLowerCase().includes(word))),
    ),
  );
  const focused = document.activeElement?.dataset?.metric;
  $("metrics-shown").textContent = words.length ? `${shown.length} of ${state.metrics.length} metrics` : "";
  $("metric-rows").parentElement.hidden = shown.length === 0;
  $("metric-rows").replaceChildren(...shown.flatMap(metricRows));
  if (focused)
    $("metric-rows")
      .querySelector(`[data-metric="${CSS.escape(focused)}"]`)
      ?.focus({ preventScroll: true });
  $("metrics-empty").hidden = shown.length > 0;
  $("metrics-empty").replaceChildren(
    el("h2", { text: words.length ? "No metric matches" : "No metrics arrived" }),
    el("p", {
      text: words.length
        ? "Try another name or tag."
        : "A LiteLLM proxy sends them where DD_LITELLM_OPENMETRICS_ENABLED=true is set and its prometheus callback is on.",
    }),
  );
}

function metricRows(entry) {
  const key = `${entry.type} ${entry.name}`;
  const open = openMetrics.has(key);
  const toggle = () => {
    if (open) openMetrics.delete(key);
    else openMetrics.add(key);
    renderMetrics();
  };
  const name = entry.name.startsWith("litellm.")
    ? [el("span", { class: "muted", text: "litellm." }), entry.name.slice(8)]
    : entry.name;
  const row = el(
    "tr",
    {
      class: "metric",
      on: {
        click: (event) => {
          if (!event.target.closest("button")) toggle();
        },
      },
    },
    el(
      "td",
      { "data-label": "Metric" },
      el(
        "button",
        { type: "button", class: "unfold", "data-metric": key, "aria-expanded": String(open), on: { click: toggle } },
        el("span", { class: "fold", "aria-hidden": "true", text: open ? "▾" : "▸" }),
        el("code", {}, name),
      ),
    ),
    el("td", { "data-label": "Type" }, el("span", { class: `type type-${entry.type}`, text: entry.type })),
    el("td", { class: "num", "data-label": "Value" }, metricValue(entry)),
    el("td", { "data-label": "What came" }, sparkline(entry)),
    el("td", { class: "num", "data-label": "Series", text: integer.format(entry.count) }),
  );
  if (!open) return [row];
  return [
    row,
    el(
      "tr",
      { class: "series" },
      el(
        "td",
        { colspan: 5 },
        el(
          "table",
          { class: "pairs" },
          el(
            "tbody",
            {},
            entry.series.map((each) =>
              el(
                "tr",
                {},
                el("td", {
                  class: "num",
                  text: typeof each.value === "number" ? figure.format(each.value) : each.value,
                }),
                el(
                  "td",
                  {},
                  each.tags.length
                    ? each.tags.map((tag) => el("span", { class: "chip", text: tag }))
                    : el("span", { class: "muted", text: "no tags" }),
                ),
              ),
            ),
          ),
        ),
        entry.count > entry.series.length &&
          el("p", { class: "none", text: `and ${integer.format(entry.count - entry.series.length)} more` }),
      ),
    ),
  ];
}

// ---------------------------------------------------------------- where we are

const route = () => location.hash.replace(/^#\/?/, "").split("/");

async function show() {
  const [view, id, span] = route();
  const name = view === "trace" && id ? "trace" : view === "metrics" ? "metrics" : "list";
  for (const each of ["list", "trace", "metrics"]) $(each).hidden = each !== name;
  for (const tab of document.querySelectorAll("[data-tab]")) {
    const current = tab.dataset.tab === (name === "metrics" ? "metrics" : "traces");
    if (current) tab.setAttribute("aria-current", "page");
    else tab.removeAttribute("aria-current");
  }
  document.title = `${name === "metrics" ? "Metrics" : "Traces"} · ddtrace-litellm`;
  if (name === "list") {
    renderList();
    const left = state.trace && $("rows").querySelector(`[data-id="${CSS.escape(state.trace.id)}"] a`);
    if (left && (document.activeElement === document.body || $("trace").contains(document.activeElement))) left.focus();
  }
  if (name === "metrics") await loadMetrics();
  if (name === "trace") await openTrace(id.toLowerCase(), span?.toLowerCase());
}

async function openTrace(id, span) {
  if (state.trace?.id !== id) {
    state.folded.clear();
    state.everything = false;
    state.span = null;
    state.unfolded.clear();
    delete $("panel").dataset.span;
    if (!(await loadTrace(id))) return;
    state.span = span ?? firstOf(state.trace);
    $("panel").scrollTop = 0;
  } else if (span) state.span = span;
  const wanted = state.trace.spans.find((each) => each.id === state.span);
  if (wanted && !wanted.leading) state.everything = true;
  state.folded.clear();
  renderTrace();
  document.title = `${state.rows.get(id)?.asked || id} · ddtrace-litellm`;
  if (!$("panel").contains(document.activeElement)) treeItem(state.span)?.focus({ preventScroll: true });
  treeItem(state.span)?.scrollIntoView({ block: "nearest" });
}

/** The span that is looked at first: the first that failed or else the first of LLM Observability. */
const firstOf = (trace) => (trace.spans.find((each) => each.llm) ?? trace.spans[0])?.id ?? null;

async function loadTrace(id) {
  try {
    state.trace = report ? report.traces[id] : await ask(`traces/${encodeURIComponent(id)}`);
  } catch {
    state.trace = null;
  }
  if (state.trace) return true;
  state.trace = null;
  $("trace-head").replaceChildren(
    el("a", { class: "back", href: "#/", text: "← Traces" }),
    el("h1", { text: state.lost ? "The viewer has ended" : "No such trace" }),
    el("p", { class: "muted", text: id }),
  );
  $("waterfall").replaceChildren();
  $("panel").replaceChildren();
  return false;
}

function renderTrace() {
  renderHead();
  renderWaterfall();
  renderPanel();
}

async function loadMetrics() {
  if (report) state.metrics = report.metrics;
  else if (!state.lost) state.metrics = await ask("metrics");
  renderMetrics();
}

async function ask(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
}

function renderLive() {
  const ended = state.status === null ? "" : `Program ended with status ${state.status}`;
  const text = report
    ? `Report · program ended with status ${report.status}`
    : state.lost
      ? "Viewer ended"
      : ended || "Live";
  const live = $("live");
  if (live.textContent !== text) live.textContent = text;
  live.className = `live ${report ? "over" : state.lost ? "lost" : ended ? "over" : "on"}`;
}

// ---------------------------------------------------------------- what arrives

async function receive(news) {
  state.status = news.status;
  for (const row of news.rows) state.rows.set(row.id, row);
  const metricsChanged = news.metrics !== state.metricsVersion;
  state.metricsVersion = news.metrics;
  renderLive();
  const [view, id] = route();
  if (view === "trace" && news.rows.some((row) => row.id === state.trace?.id || (!state.trace && row.id === id))) {
    if (state.trace) {
      const { id: shown } = state.trace;
      if ((await loadTrace(shown)) && state.trace.id === route()[1]) renderTrace();
    } else await show();
  } else if (view === "metrics") {
    if (metricsChanged) await loadMetrics();
  } else if (view !== "trace") renderList();
  $("metric-count").hidden = !news.metric_count;
  $("metric-count").textContent = integer.format(news.metric_count);
}

function listen() {
  const source = new EventSource("events");
  let queue = Promise.resolve();
  source.addEventListener("message", (event) => {
    state.lost = false;
    queue = queue.then(() => receive(JSON.parse(event.data))).catch(console.error);
  });
  source.addEventListener("error", () => {
    state.lost = true;
    renderLive();
  });
  source.addEventListener("open", () => {
    state.lost = false;
    renderLive();
  });
}

// ---------------------------------------------------------------- keyboard and colours

const THEMES = { "": ["Auto", "as the system has them"], light: ["Light", "light"], dark: ["Dark", "dark"] };

function setTheme(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  [$("theme").textContent] = THEMES[theme];
  $("theme").setAttribute("aria-label", `Colours: ${THEMES[theme][1]}`);
}

function nextTheme() {
  const names = Object.keys(THEMES);
  setTheme(names[(names.indexOf(document.documentElement.dataset.theme ?? "") + 1) % names.length]);
}

function neighbour(step) {
  const rows = shownRows();
  const next = rows[rows.findIndex((row) => row.id === state.trace?.id) + step];
  if (next) location.hash = `#/trace/${next.id}`;
}

function moveInList(step) {
  const anchors = [...$("rows").querySelectorAll("a")];
  const at = anchors.indexOf(document.activeElement);
  const next = anchors[at < 0 ? (step > 0 ? 0 : anchors.length - 1) : at + step];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || $("help").open) return;
  const [view] = route();
  const typing = event.target.matches("input:not([type=checkbox]), select, textarea");
  if (event.key === "Escape") {
    if (typing) event.target.blur();
    else if (view === "trace" && $("panel").contains(document.activeElement)) treeItem(state.span)?.focus();
    else if (view === "trace") location.hash = "#/";
    return;
  }
  if (typing) return;
  const onList = view !== "trace" && view !== "metrics";
  const keys = {
    "/": () => (view === "metrics" ? $("metric-text") : ((location.hash = "#/"), form.elements.text)).focus(),
    "?": () => $("help").showModal(),
    t: nextTheme,
    ...(view === "trace" ? { "[": () => neighbour(-1), "]": () => neighbour(1) } : {}),
    ...(onList
      ? {
          j: () => moveInList(1),
          k: () => moveInList(-1),
          ArrowDown: () => moveInList(1),
          ArrowUp: () => moveInList(-1),
        }
      : {}),
  };
  if (!keys[event.key]) return;
  event.preventDefault();
  keys[event.key]();
});

const relist = () => {
  state.limit = ROWS;
  renderList();
};
form.addEventListener("input", relist);
form.addEventListener("reset", () => setTimeout(relist));
form.addEventListener("submit", (event) => event.preventDefault());
$("metric-text").form.addEventListener("submit", (event) => event.preventDefault());
$("metric-text").addEventListener("input", renderMetrics);
$("more").addEventListener("click", () => {
  state.limit += ROWS;
  renderList();
});
$("theme").addEventListener("click", nextTheme);
$("help-button").addEventListener("click", () => $("help").showModal());
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  $("main").focus();
});
addEventListener("hashchange", () => {
  show().catch(console.error);
});

if (report)
  receive({ status: report.status, rows: report.rows, metrics: 0, metric_count: report.metrics.length }).then(show);
else {
  renderLive();
  show().then(listen);
}
