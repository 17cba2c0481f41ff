'use strict';
// Rows of stages and steps on their time, and logs that are unpacked when they are looked at.
// Whatever comes from the run becomes text by textContent only, never markup.
(() => {
  const HEIGHT = 20;          // of a line, as in the style
  const TALLEST = 8000000;    // no browser lays out much more
  const MOST_HITS = 1000;
  const LONGEST = 4000;       // characters of a line
  const run = JSON.parse(document.getElementById('run').textContent);
  const total = Math.max(run.end, 1);

  const make = (tag, name, text) => {
    const element = document.createElement(tag);
    if (name) element.className = name;
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const time = millis => {
    if (millis === null) return '';
    const seconds = Math.floor(millis / 1000);
    if (seconds < 60) return (millis / 1000).toFixed(1) + ' s';
    if (seconds < 3600) return Math.floor(seconds / 60) + ' min ' + seconds % 60 + ' s';
    return Math.floor(seconds / 3600) + ' h ' + Math.floor(seconds % 3600 / 60) + ' min';
  };

  // The log of a stage: chunks of lines, each unpacked once it is needed; a few are kept.
  class Log {
    constructor(data, stage) {
      Object.assign(this, data);
      this.stage = stage;
      this.kept = new Map();
    }
    chunk(line) {
      let low = 0, high = this.chunks.length - 1;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (this.chunks[middle][0] <= line) low = middle; else high = middle - 1;
      }
      return low;
    }
    async text(number) {
      const element = document.getElementById('log-' + this.stage + '-' + number);
      const packed = Uint8Array.from(atob(element.textContent), c => c.charCodeAt(0));
      const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
      return new Response(stream).text();
    }
    lines(number) {
      if (this.kept.has(number)) return this.kept.get(number);
      const lines = this.text(number).then(text => text.split('\n'));
      this.kept.set(number, lines);
      if (this.kept.size > 12) this.kept.delete(this.kept.keys().next().value);
      return lines;
    }
    async line(line) {
      if (this.cut && line === this.cut.first) return null;
      const number = this.chunk(line);
      return (await this.lines(number))[line - this.chunks[number][0]] ?? '';
    }
    // Whose a line is.
    owner(line) {
      let low = 0, high = this.runs.length - 1;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (this.runs[middle][0] <= line) low = middle; else high = middle - 1;
      }
      return this.runs[low] ?? [0, 0, 0];
    }
    // The lines of each step, as pairs of the first and the one behind the last.
    ranges() {
      if (this.found) return this.found;
      this.found = new Map();
      const runs = this.runs.length ? this.runs : [[0, 0, 0]];
      const add = (step, from, to) => {
        if (from >= to) return;
        const list = this.found.get(step) ?? this.found.set(step, []).get(step);
        const last = list[list.length - 1];
        if (last && last[1] === from) last[1] = to; else list.push([from, to]);
      };
      runs.forEach(([from, step], number) => {
        const to = number + 1 < runs.length ? runs[number + 1][0] : this.lines_total;
        if (!this.cut) return add(step, from, to);
        // One line stands for all that are left out.
        const gap = this.cut.first + 1, behind = this.cut.first + this.cut.lines;
        add(step, from, Math.min(to, gap));
        add(step, Math.max(from, behind), to);
      });
      return this.found;
    }
  }
  run.stages.forEach((stage, number) => {
    if (!stage.log) return;
    const { lines, ...data } = stage.log;
    stage.log = new Log({ ...data, lines_total: lines }, number);
  });

  // The colours of a terminal (SGR of ECMA-48); its other orders are left out.
  function paint(element, text) {
    const back = text.lastIndexOf('\r', text.length - 2);
    if (back >= 0) text = text.slice(back + 1);
    if (text.length > LONGEST) text = text.slice(0, LONGEST) + ' … cut';
    let style = '';
    for (const part of text.split(/(\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\))/)) {
      const order = /^\x1b\[([0-9;]*)m$/.exec(part);
      if (order) {
        const codes = order[1].split(';').map(Number);
        for (let at = 0; at < codes.length; at++) {
          const code = codes[at];
          if (code === 0) style = '';
          else if (code === 1) style += ' b';
          else if (code === 2) style += ' d';
          else if (code === 22) style = style.replace(/ [bd]\b/g, '');
          else if (code === 38 || code === 48) at += codes[at + 1] === 5 ? 2 : 4;
          else if (code === 39) style = style.replace(/ c\d/, '');
          else if (code >= 30 && code <= 37) style = style.replace(/ c\d/, '') + ' c' + (code - 30);
          else if (code >= 90 && code <= 97) style = style.replace(/ c\d/, '') + ' c' + (code - 90);
        }
      } else if (part && part[0] !== '\x1b') {
        const clean = part.replace(/[\x00-\x08\x0b-\x1f\x7f]/g, '');
        element.append(style ? make('span', style.trim(), clean) : clean);
      }
    }
  }

  // A window into lines: only those that are seen are in the page.
  function view(stage, ranges) {
    const log = stage.log;
    const starts = [];
    let count = 0;
    for (const [from, to] of ranges) { starts.push(count); count += to - from; }
    const height = Math.min(count * HEIGHT, TALLEST);
    const box = make('div', 'log');
    box.tabIndex = 0;
    const space = make('div');
    space.style.height = height + 'px';
    const block = make('div', 'block');
    space.append(block);
    box.append(space);
    const at = index => {
      let low = 0, high = starts.length - 1;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (starts[middle] <= index) low = middle; else high = middle - 1;
      }
      return ranges[low][0] + index - starts[low];
    };
    let marked = -1, turn = 0;
    async function draw() {
      const mine = ++turn;
      const seen = Math.ceil(box.clientHeight / HEIGHT);
      const rest = height - box.clientHeight;
      const squeezed = count * HEIGHT > TALLEST && rest > 0;
      const top = squeezed
        ? Math.round(box.scrollTop / rest * Math.max(count - seen, 0))
        : Math.floor(box.scrollTop / HEIGHT);
      const first = Math.max(0, top - 20), last = Math.min(count, top + seen + 20);
      const rows = document.createDocumentFragment();
      for (let index = first; index < last; index++) {
        const line = at(index);
        const text = await log.line(line);
        if (mine !== turn) return;
        const row = make('div', 'l');
        if (text === null) {
          row.className = 'l cut';
          row.textContent = '  … ' + log.cut.lines.toLocaleString('en') + ' lines (' + log.cut.size +
            ') are left out here; the whole log is in ' + log.file;
        } else {
          const link = make('a', '', String(line + 1));
          link.href = '#' + encodeURIComponent(stage.name) + ':' + (line + 1);
          if (log.owner(line)[2]) row.classList.add('err');
          if (line === marked) row.classList.add('here');
          row.append(link);
          paint(row, text);
        }
        rows.append(row);
      }
      block.replaceChildren(rows);
      const y = squeezed ? box.scrollTop - (top - first) * HEIGHT : first * HEIGHT;
      block.style.transform = 'translateY(' + y + 'px)';
    }
    box.addEventListener('scroll', draw, { passive: true });
    new ResizeObserver(draw).observe(box);
    // Shows a line of the stage's log.
    box.show = line => {
      const range = ranges.findIndex(([from, to]) => line >= from && line < to);
      if (range < 0) return;
      marked = line;
      const index = starts[range] + line - ranges[range][0];
      const rest = height - box.clientHeight;
      const share = index / Math.max(count - 1, 1);
      box.scrollTop = count * HEIGHT > TALLEST
        ? share * rest : index * HEIGHT - box.clientHeight / 2;
      draw();
    };
    return box;
  }

  function row(kind, it, what, open) {
    const line = make('button', 'row ' + kind);
    line.type = 'button';
    line.title = it.word;
    const text = make('span', 'what');
    text.append(make('span', 'dot ' + it.class), what.split('\n')[0]);
    if (it.note) text.append(make('i', '', it.note));
    const track = make('span', 'track');
    const millis = it.millis ?? (it.class === 'open' ? Math.max(run.end - it.start, 0) : null);
    if (millis !== null && it.ran !== false) {
      const bar = make('span', 'bar ' + it.class);
      bar.style.left = Math.min(it.start / total * 100, 99.5) + '%';
      bar.style.width = Math.min(millis / total * 100, 100 - it.start / total * 100) + '%';
      track.append(bar);
    }
    line.append(text, track, make('span', 'time', time(it.millis)));
    const inner = make('div', kind === 'stage' || it.group ? 'inner' : 'detail');
    inner.hidden = true;
    let filled = false;
    line.setAttribute('aria-expanded', 'false');
    it.toggle = wanted => {
      const show = wanted ?? inner.hidden;
      if (show && !filled) { filled = true; open(inner); }
      inner.hidden = !show;
      line.setAttribute('aria-expanded', String(show));
    };
    line.addEventListener('click', () => it.toggle());
    const holder = make('div');
    holder.append(line, inner);
    it.element = holder;
    return holder;
  }

  function steps(stage, outer, into) {
    for (const step of stage.steps.filter(step => step.in === outer || outer === null && !stage.numbers.has(step.in))) {
      const kind = step.group ? 'step group' : 'step';
      into.append(row(kind, step, step.text, inner => {
        if (step.group) { for (const said of step.said) inner.append(make('pre', 'full said', said)); }
        if (step.group) return steps(stage, step.n, inner);
        // What the row may have cut.
        if (step.text.length > 60 || step.text.includes('\n')) inner.append(make('pre', 'full', step.text));
        if (step.said.length) inner.append(make('pre', 'full said', step.said.join('\n')));
        const ranges = stage.log?.ranges().get(step.n);
        if (ranges) { step.view = view(stage, ranges); inner.append(step.view); }
      }));
    }
  }

  const rows = document.getElementById('rows');
  const list = document.createDocumentFragment();
  for (const stage of run.stages) {
    stage.numbers = new Map(stage.steps.map(step => [step.n, step]));
    list.append(row('stage', stage, stage.name, inner => {
      if (stage.said.length) inner.append(make('pre', 'full said', stage.said.join('\n')));
      steps(stage, null, inner);
      // What no step of now has written: of an earlier try of the stage, or of the stage itself.
      const others = [...(stage.log?.ranges() ?? [])].filter(([step]) => !stage.numbers.has(step));
      if (others.length) {
        const ranges = others.flatMap(([, ranges]) => ranges).sort((a, b) => a[0] - b[0]);
        const earlier = { class: '', word: '', start: 0, millis: null, note: '', ran: false };
        inner.append(row('step', earlier, 'output from before this try', detail => {
          stage.view = view(stage, ranges);
          detail.append(stage.view);
        }));
        stage.earlier = earlier;
      }
    }));
  }
  rows.replaceChildren(list);

  // Opens a step and all around it.
  function reveal(stage, step) {
    stage.toggle(true);
    const around = [];
    for (let it = step; it; it = stage.numbers.get(it.in)) around.unshift(it);
    for (const it of around) it.toggle(true);
  }
  function follow() {
    const link = /^#(.+):(\d+)$/.exec(location.hash);
    const stage = link && run.stages.find(stage => encodeURIComponent(stage.name) === link[1] || stage.name === link[1]);
    if (!stage || !stage.log) return;
    const line = Number(link[2]) - 1;
    const step = stage.numbers.get(stage.log.owner(line)[1]);
    reveal(stage, step);
    if (!step && stage.earlier) stage.earlier.toggle(true);
    const box = (step ?? stage).view;
    if (!box) return;
    box.show(line);
    box.scrollIntoView({ block: 'center' });
  }

  // Searching goes through one chunk after the other, so that the page stays alive.
  const tools = make('div'), hits = make('div');
  tools.id = 'tools';
  hits.id = 'hits';
  const input = make('input');
  input.type = 'search';
  input.placeholder = 'Search the logs';
  input.setAttribute('aria-label', 'Search the logs');
  const state = make('span');
  tools.append(input, state);
  let search = 0;
  async function find() {
    const mine = ++search, wanted = input.value.toLowerCase();
    hits.replaceChildren();
    state.textContent = '';
    if (!wanted) return;
    let count = 0;
    for (const stage of run.stages) {
      for (let number = 0; stage.log && number < stage.log.chunks.length; number++) {
        const text = await stage.log.text(number);
        if (mine !== search) return;
        if (!text.toLowerCase().includes(wanted)) continue;
        const first = stage.log.chunks[number][0];
        for (const [place, line] of text.split('\n').entries()) {
          const low = line.toLowerCase(), at = low.indexOf(wanted);
          if (at < 0) continue;
          if (++count > MOST_HITS) break;
          const link = make('a');
          link.href = '#' + encodeURIComponent(stage.name) + ':' + (first + place + 1);
          const from = Math.max(0, at - 60);
          const clean = text => text.replace(/\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]/g, '');
          link.append(make('b', '', stage.name + ':' + (first + place + 1) + '  '), clean(line.slice(from, at)),
            make('mark', '', clean(line.slice(at, at + wanted.length))), clean(line.slice(at + wanted.length, at + 200)));
          hits.append(link);
        }
        if (count > MOST_HITS) break;
      }
      if (count > MOST_HITS) break;
    }
    state.textContent = count > MOST_HITS ? 'more than ' + MOST_HITS + ' lines, the first are shown'
      : count === 1 ? '1 line' : count + ' lines';
  }
  let pause;
  input.addEventListener('input', () => { clearTimeout(pause); pause = setTimeout(find, 250); });
  if (run.stages.some(stage => stage.log)) rows.before(tools, hits);

  for (const text of document.querySelectorAll('#graph .name')) {
    const stage = run.stages.find(stage => stage.name === text.textContent)
      ?? run.stages.find(stage => stage.name.replace(/-\d+$/, '') === text.textContent);
    if (stage?.class) text.parentNode.classList.add(stage.class);
  }
  for (const at of document.querySelectorAll('time')) {
    at.textContent = new Date(at.dateTime + 'Z').toLocaleString();
  }

  // What failed is open, with its last failed step; a short run is open altogether.
  const failed = run.stages[run.failed];
  if (failed) {
    const last = failed.steps.filter(step => !step.group && step.class === 'failed').pop();
    reveal(failed, last);
    if (last?.view) requestAnimationFrame(() => { last.view.scrollTop = last.view.scrollHeight; });
  }
  addEventListener('hashchange', follow);
  follow();
})();
