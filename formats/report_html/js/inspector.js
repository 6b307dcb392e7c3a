// What is selected: a page, a range, a mapping; or, if nothing is, the process and the file.
import { $, base, duration, el, hex, link, number, pages, paper, size, stoodWords, swatch } from './ui.js';
import { Held } from './held.js';
import { countIn, wordsOf } from './classes.js';
import { countsOf } from './strips.js';
import { markWords } from './shares.js';

const pair = (name, value) => value || value === 0 ? [el('dt', {}, name), el('dd', {}, value)] : [];
const section = (title, ...children) => el('section', {}, title ? el('h3', {}, title) : null, ...children);

// As the command line parts it.
function placeOf({ name, label }) {
	if (name === '[stack]' || /^(guard of the )?stack of /.test(label ?? '')) return 'stacks';
	if (!name || name === '[heap]' || name.startsWith('[anon:')) return 'heap (no names)';
	return name.startsWith('/') ? 'libraries' : 'elsewhere';
}

const PLACES_SHOWN = 5, NAMES_SHOWN = 10, VALUES_SHOWN = 40, MOVES_SHOWN = 20;

export class Inspector {
	constructor(model, view, show) { Object.assign(this, { model, view, show, held: new Held(model, view), drawn: 0 }); }

	draw() {
		const host = $('#inspector'), { selected } = this.view;
		this.drawn++;
		const parts = !selected ? this.process() : selected.page === undefined ? this.strip(selected.strip) : this.range(selected);
		host.replaceChildren(...parts.filter(Boolean));
		host.scrollTop = 0;
	}
	// ---- nothing
	process() {
		const { model, view } = this, process = model.processes[view.process], instant = model.instants[view.b];
		return [section('', el('h2', {}, process.title), el('div', { class: 'note' }, process.exe), el('dl', {}, pair('parent', process.ppid), pair('command', process.cmdline.join(' ')), pair('instants', `${process.first + 1} to ${process.last + 1}`))),
			this.places(), this.copiedNames(),
			section('Instant B', el('dl', {}, pair('label', instant.label), pair('taken', instant.taken ? new Date(instant.taken).toISOString().replace('T', ' ').replace('Z', ' UTC') : ''), pair('why', instant.reason), pair('stood', model.known.states ? stoodWords(instant) : ''))),
			this.held.values(0, Infinity, NAMES_SHOWN),
			section('File', el('dl', {}, pair('name', model.title), pair('host', model.host), pair('kernel', `${model.kernel} ${model.arch}`), pair('page', size(model.pageSize)), pair('snapshots', `${number(model.places.reduce((sum, places) => sum + places.size, 0))}${model.processes.length > 1 ? ` of ${number(model.processes.length)} processes` : ''}`), pair('over', duration(model.instants[model.instants.length - 1].ms)), pair('facts missing', this.unknown() || 'none'), pair('contents', this.contents()), model.namesLeftOut ? pair('names', 'some are left out') : []))];
	}
	// Where most of what happened happened.
	places() {
		const { model, view } = this, { copied, child, written, new: fresh, gone } = model.class;
		const [name, ...kinds] = [['copied', copied, child], ['written', written], ['new', fresh], ['gone', gone]].find(([, ...of]) => of.some(c => view.counts[c])) ?? [''];
		const amount = strip => kinds.reduce((sum, c) => sum + countsOf(model, view, strip)[c], 0);
		const strips = view.mode === 'diff' || view.mode === 'cow' ? view.strips.filter(amount).sort((a, b) => amount(b) - amount(a)) : [];
		if (!strips.length) return null;
		const rows = strips.slice(0, PLACES_SHOWN).map(strip => pair(link(`${base(strip.title)}${strip.title ? '' : ` ${(strip.start * model.pageSize).toString(16)}`}`, () => this.show(strip)), pages(amount(strip))));
		return section(`Where it was ${name}`.replace('was new', 'is new').replace('was gone', 'went'), el('dl', { class: 'places' }, rows), strips.length > PLACES_SHOWN ? el('p', { class: 'note' }, `and ${number(strips.length - PLACES_SHOWN)} more: see Mappings`) : null);
	}
	// Variables on what was copied or written: those of the program itself first.
	copiedNames() {
		const { model, view } = this, { track } = view, process = model.processes[track.process], { copied, child, written } = model.class;
		const happened = c => c === copied || c === child || c === written;
		// On how many of the pages it lies on: of a page all is copied, however little of it is written.
		const lies = name => {
			const end = Math.ceil((name.address + Math.max(1, name.size)) / model.pageSize);
			let count = 0;
			track.pieces(name.page, end, (_, index, pages) => { for (let i = index; i < index + pages; i++) count += happened(view.classes[i]); });
			return { name, count, of: end - name.page };
		};
		const all = view.mode === 'diff' || view.mode === 'cow' ? model.namesOf(track.process) : [], names = all.map(lies).filter(({ count }) => count);
		if (!names.length) return (view.counts[copied] || view.counts[child]) && all.some(name => name.object === process.exe) ? section('Variables on what was copied', el('p', {}, `None of ${base(process.exe)} itself lies there.`), this.unnamed('what was copied')) : null;
		// Of the program itself first, and of those what a person gave a name, those on most of such pages first.
		const rank = ({ name }) => 2 * (name.object === process.exe) + !/^_|\.\d+$|@/.test(name.symbol);
		names.sort((a, b) => rank(b) - rank(a) || b.count - a.count || b.name.size - a.name.size);
		const what = view.counts[copied] || view.counts[child] ? 'copied' : 'written', words = ({ count, of }) => of === 1 ? 'its page' : `${number(count)} of ${number(of)} pages`;
		return section(`Variables on what was ${what}`, this.unnamed('not variables'), el('p', { class: 'note' }, `of the pages each lies on, ${what}:`), this.list(names.slice(0, NAMES_SHOWN), words), names.length > NAMES_SHOWN ? el('p', { class: 'note' }, `and ${number(names.length - NAMES_SHOWN)} more: see Copy-on-write or Changes`) : null);
	}
	// What is no variable of the program: as a rule nearly all of it.
	unnamed(which) {
		const { model, view } = this, { copied, child, written } = model.class, { exe } = model.processes[view.track.process], sums = { 'heap (no names)': 0, libraries: 0, stacks: 0, elsewhere: 0 };
		for (const strip of view.strips) if (strip.name !== exe) sums[placeOf(strip)] += [copied, child, written].reduce((sum, c) => sum + countsOf(model, view, strip)[c], 0);
		const told = Object.entries(sums).filter(([, count]) => count).map(([words, count]) => `${pages(count)} ${words}`);
		return told.length ? el('p', { class: 'note' }, `${which}: ${told.join(', ')}`) : null;
	}
	contents() {
		const { wanted, bytesLeftOut } = this.model.contents;
		return !wanted ? 'not in this page' : bytesLeftOut ? `changed bytes, but ${size(bytesLeftOut)}` : 'changed bytes';
	}
	unknown() {
		const { known } = this.model, words = { states: 'which pages were present', pfn: 'page frames: whether a page was copied', exclusive: 'who shares', zero: 'the zero page', huge: 'huge pages' };
		return Object.keys(words).filter(key => !known[key]).map(key => words[key]).join('; ');
	}
	// ---- a mapping
	strip(strip) {
		const counts = countsOf(this.model, this.view, strip);
		return [section('', el('h2', {}, strip.title || 'anonymous'), el('dl', {}, pair('from', hex(strip.start)), pair('to', hex(strip.end)), pair('size', pages(strip.size))), this.bar(counts), this.counts(counts)), this.states(strip.vmas),
			section(strip.vmas.length > 1 ? `${strip.vmas.length} mappings` : 'Mapping', strip.vmas.slice(0, 12).map(vma => el('dl', {}, pair(hex(vma.start), `${vma.perms} ${pages(vma.end - vma.start)}`), pair('offset', vma.name.startsWith('/') ? `0x${vma.offset.toString(16)}` : ''), pair('', vma.deleted ? 'the file is deleted' : '')))),
			this.moves(strip.start, strip.end), this.held.values(strip.start, strip.end, VALUES_SHOWN), this.names(strip.start, strip.end)];
	}
	bar(counts) { return el('div', { class: 'mini' }, counts.reduce((out, count, c) => count && c ? [...out, el('i', { style: { flex: String(count), background: paper(c) } })] : out, [])); }
	counts(counts) {
		return el('dl', {}, this.model.classes.map((_, i) => counts[i] ? [el('dt', {}, swatch(i), wordsOf(this.model, this.view, i)), el('dd', {}, pages(counts[i]))] : []));
	}
	// What pages are at B that colours do not tell: huge, merged, marked.
	states(ranges) {
		const { model, view } = this, track = model.track(view.track.process, 'states'), values = track.present[view.b] ? track.valuesAt(view.b) : null, counts = new Float64Array(model.states.length);
		if (values) for (const { start, end } of ranges) track.pieces(start, end, (_, index, count) => { for (let i = index; i < index + count; i++) counts[values[i]]++; });
		const told = model.states.map((words, state) => counts[state] && words !== model.classes[model.rules.quiet[state]].words && /,|\?| or |marker/.test(words) ? pair(words, pages(counts[state])) : []);
		return told.flat().length ? section('Of these at B', el('dl', {}, told)) : null;
	}
	names(from, to) {
		const names = this.model.namesIn(this.view.track.process, from, to, 60);
		if (!names.length) return null;
		return section('Names here', this.list(names.map(name => ({ name }))));
	}
	list(names, words = ({ name }) => name.size ? size(name.size) : '') {
		return el('ul', { class: 'names' }, names.map(one => el('li', { title: `${one.name.symbol}, ${one.name.size ? `${size(one.name.size)}, ` : ''}${one.name.object}` }, el('span', {}, one.name.symbol), el('small', {}, words(one)))));
	}
	// ---- pages
	range({ strip, page, end }) {
		const { view } = this, states = this.model.track(view.track.process, 'states'), index = states.indexOf(page), vma = strip.vmas.find(one => page >= one.start && page < one.end) ?? strip.vmas[0];
		const counts = new Float64Array(this.model.classes.length);
		countIn(view, counts, page, end);
		return [section('', el('h2', { class: 'mono' }, hex(page)), el('div', { class: 'note' }, strip.title || 'anonymous'), el('dl', {}, pair('pages', end - page > 1 ? `${number(end - page)}, ${pages(end - page)}` : ''), pair('in the mapping', `+${pages(page - vma.start)}`), pair('in the file', vma.name.startsWith('/') ? `0x${(vma.offset + (page - vma.start) * this.model.pageSize).toString(16)}` : ''), pair('permissions', vma.perms), pair('a debugger', this.hand(states, page, end))), this.bar(counts), this.counts(counts)), end - page > 1 ? this.states([{ start: page, end }]) : null,
			index >= 0 ? this.history(states, index) : section('', el('p', {}, this.model.known.states ? 'Never resident.' : 'Left out of the core file.')), index >= 0 ? this.frame(states, index) : null, this.verdict(page), this.moves(page, end), this.held.values(page, end, VALUES_SHOWN), this.held.bytes(page, end, this.still()), this.names(page, end)];
	}
	// Whether it wrote to one of these, as A or B tells.
	hand(states, page, end) {
		const { model, view } = this, told = [view.a, view.b].map(k => model.touchedAt(states, k));
		let found = false;
		states.pieces(page, end, (_, index, count) => { found ||= told.some(touched => touched?.subarray(index, index + count).some(Boolean)); });
		return found ? end - page > 1 ? 'wrote to some' : 'wrote to it' : '';
	}
	// What was put here from elsewhere, from A to B.
	moves(from, to) {
		const { model, view } = this, told = [];
		for (const change of model.processes[view.track.process].changes) {
			if (change.instant <= view.a || change.instant > view.b) continue;
			const here = change.page < to && change.page + change.pages > from, by = `by ${view.nameOf(change.instant)}`;
			if (change.replaced && here) told.push(pair(by, 'other memory took its place'));
			else if (here) told.push(pair(by, `moved here from ${hex(change.from)}`));
			else if (!change.replaced && change.from < to && change.from + change.pages > from) told.push(pair(by, `moved to ${hex(change.page)}`));
		}
		return told.length ? section('Moved', el('dl', {}, told.slice(0, MOVES_SHOWN))) : null;
	}
	// Asked later: whether the same is shown still.
	still() {
		const { drawn } = this;
		return () => this.drawn === drawn;
	}
	history(track, index) {
		const { model, view } = this, values = track.history(index), quiet = model.rules.quiet;
		return section('This page over time', el('div', { class: 'history', role: 'img', 'aria-label': `${model.states[values[view.a] & 31]} at A, ${model.states[values[view.b] & 31]} at B` }, [...values].map((value, k) => el('i', { class: [value & 32 && 'moved', (k === view.a || k === view.b) && 'chosen'].filter(Boolean).join(' '), style: { background: track.present[k] ? paper(quiet[value & 31]) : 'transparent' }, title: `${view.nameOf(k)}: ${model.states[value & 31]}${value & 32 ? ', another frame' : ''}` }))),
			el('dl', {}, pair('at A', model.states[values[view.a] & 31]), pair('at B', model.states[values[view.b] & 31])));
	}
	frame(track, index) {
		const { model, view } = this, out = section('Frame', el('dl', {}, pair('', model.known.frames ? 'reading …' : 'left out, or not known'))), still = this.still();
		if (model.known.frames) view.loadFrames().then(frames => {
			if (!still()) return;
			const told = k => {
				const frame = track.present[k] && model.present[track.valuesAt(k)[index]] ? frames.of(track, index, k) : null;
				return frame ? `pfn ${frame.toString(16)}, at 0x${(BigInt(frame) * BigInt(model.pageSize)).toString(16)}` : 'none';
			};
			out.replaceChildren(el('h3', {}, 'Frame'), el('dl', { class: 'mono' }, pair('A', told(view.a)), pair('B', told(view.b))));
		}, error => out.append(error.message));
		return out;
	}
	verdict(page) {
		const { model, view } = this, told = model.forksOf(view.process).filter(fork => fork.present[view.b]).map(fork => {
			const index = fork.indexOf(page), value = index < 0 ? 0 : fork.valuesAt(view.b)[index], marks = model.marksAt(fork, view.b)?.[index] ?? 0;
			return value ? pair(`${model.processes[fork.process].pid} → ${model.processes[fork.child].pid}`, `${model.verdicts[value - 1].name.replace(/_/g, ' ')}${markWords(marks)}`) : [];
		});
		return told.flat().length ? section('Since the fork', el('dl', {}, told)) : null;
	}
}
