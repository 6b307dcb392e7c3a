// What the page was given, as objects.  No drawing.
import { Damaged, inflate, listOf, whole } from './bytes.js';
import { tallyStates, tallyVerdicts } from './tally.js';
import { FRAME, Track } from './track.js';

const PAGES_END = 2 ** 52, STATES_MAX = FRAME, CLASSES_MAX = 26, VERDICTS_MAX = 31; // what the data can tell apart
// Classes that views know by name; others are drawn by what comes with them.
const CLASSES = ['private', 'file', 'shared', 'swapped', 'zero', 'guard', 'unread', 'dumped', 'dump_hole', 'copied', 'child', 'new', 'gone', 'swapped_out', 'written', 'other'];
const MOVES_END = 2 ** 40;
export const MOVED_NONE = 0, MOVED = 1, MOVED_PERHAPS = 2, MERGED = 3;
export const INFERRED = 1, TOUCHED = 2; // of a fork's verdict; touched by a debugger: it is in no sum of what is lost
const VMA_FIELDS = 10, CHANGE_FIELDS = 5, SHARED_FIELDS = 3, NAME_FIELDS = 7, PLACE_FIELDS = 5, VALUE_FIELDS = 10, WATCHED_FIELDS = 3, BLAMED_FIELDS = 6;

function rows(flat, fields, make) {
	if (!Array.isArray(flat) || flat.length % fields || !flat.every(value => Number.isSafeInteger(value) && value >= 0)) throw new Damaged();
	const out = [];
	for (let i = 0; i < flat.length; i += fields) out.push(make(...flat.slice(i, i + fields)));
	return out;
}

function string(value) {
	if (typeof value !== 'string') throw new Damaged();
	return value;
}

// Rules are letters: A is the first class.
function readRules(rules, states, classes) {
	const decode = (text, length) => {
		if (typeof text !== 'string' || text.length !== length) throw new Damaged();
		return Uint8Array.from(text, letter => {
			const value = letter.charCodeAt(0) - 65;
			if (!(value >= 0 && value < classes)) throw new Damaged();
			return value;
		});
	};
	return { states, quiet: decode(rules.quiet, states), changed: decode(rules.changed, 3 * 2 * states * states) };
}

// Which code copied, made and wrote pages: of a stack 0 and 1 say that nobody knows which.
function readCode(head, model) {
	const last = model.instants.length - 1, text = string => model.text(string);
	const stacks = listOf(head.stacks, ([file, line, ...frames]) => {
		if (!frames.length) throw new Damaged();
		return { file: text(file), line: whole(line), frames: frames.map(text) };
	});
	const watched = rows(head.watched, WATCHED_FIELDS, (instant, faults, lost) => ({ instant: whole(instant, last), faults, lost: lost ? lost - 1 : null }));
	const blamed = rows(head.blamed, BLAMED_FIELDS, (instant, process, page, pages, value, stack) => {
		if (!(instant <= last && process < model.processes.length && pages > 0 && page + pages < PAGES_END && value < 3 && stack < stacks.length + 2)) throw new Damaged();
		return { instant, process, page, pages, value, stack };
	});
	return { stacks, watched, blamed, leftOut: whole(head.left_out) };
}

function readProcess(head, model, number) {
	const last = model.instants.length - 1, text = string => model.text(string);
	const vmas = rows(head.vmas, VMA_FIELDS, (start, end, perms, name, label, offset, memory, deleted, first, until) => {
		if (!(start < end && end < PAGES_END && first <= until && until <= last && memory < 3)) throw new Damaged();
		return { start, end, perms: text(perms), name: text(name), label: text(label), offset: offset * 1024, memory, deleted, first, last: until };
	});
	const changes = rows(head.changes, CHANGE_FIELDS, (instant, from, page, pages, replaced) => {
		if (!(instant <= last && pages > 0 && from + pages < PAGES_END && page + pages < PAGES_END)) throw new Damaged();
		return { instant, from, page, pages, replaced };
	});
	const shared = new Map(rows(head.shared, SHARED_FIELDS, (instant, pages, more) => [whole(instant, last), { pages, more }]));
	const one = { number, pid: whole(head.pid), ppid: whole(head.ppid), comm: string(head.comm), exe: string(head.exe), cmdline: listOf(head.cmdline, string),
		first: whole(head.first, last), last: whole(head.last, last), started: head.started_us === undefined ? NaN : head.started_us / 1000 };
	if (head.started_us !== undefined && !Number.isSafeInteger(head.started_us)) throw new Damaged();
	if (!(one.first <= one.last && [one.first, one.last].every(k => model.places[k].has(number)))) throw new Damaged();
	const status = listOf(head.status, line => ({ key: text(line[0]), values: readStatus(line, model) }));
	return { ...one, vmas, changes, shared, status, title: `${one.comm} ${one.pid}` };
}

function readStatus(line, { strings, instants }) {
	const out = new Array(instants.length).fill(null);
	for (let i = 1; i + 1 < line.length; i += 2) {
		const until = line[i + 2] ?? instants.length, value = line[i + 1] ? strings[whole(line[i + 1] - 1, strings.length - 1)] : null;
		for (let k = line[i]; k < until && k < out.length; k++) out[k] = value;
	}
	return out;
}

// Regions of a process: mappings of one file, and anonymous ones that lie over each other in time.
function giveRegions(process) {
	const byName = new Map();
	let anonymous = null;
	process.regions = [];
	for (const vma of [...process.vmas].sort((a, b) => a.start - b.start)) {
		const called = vma.name || vma.label;
		let region = called ? byName.get(called) : anonymous && vma.start < anonymous.end ? anonymous : null;
		if (!region) {
			region = { number: process.regions.length, name: called, start: vma.start, end: vma.end };
			process.regions.push(region);
			if (called) byName.set(called, region);
		}
		region.end = Math.max(region.end, vma.end);
		if (!called) anonymous = region;
		vma.region = region.number;
	}
}

// Stretches of a track's pages that belong to one mapping, by index: its region.
function giveSpans(track, process) {
	const cuts = [];
	for (const vma of process.vmas) track.pieces(vma.start, vma.end, (page, index) => cuts.push([index, vma]));
	cuts.sort((a, b) => a[0] - b[0] || a[1].last - b[1].last);
	const first = [], region = [];
	for (const [index, vma] of cuts) {
		if (first.length && first[first.length - 1] === index) first.pop(), region.pop();
		first.push(index);
		region.push(vma.region);
	}
	if (first[0] !== 0) first.unshift(0), region.unshift(0);
	track.spans = { first: Float64Array.from(first), region: Uint32Array.from(region) };
}

function readTrack(head, model, bytes, at) {
	const process = model.processes[head.process], child = model.processes[head.child], isFork = head.kind === 'verdicts' || head.kind === 'inferred';
	if (!process || isFork !== Boolean(child) || !['states', 'written', 'touched', 'verdicts', 'inferred'].includes(head.kind)) throw new Damaged();
	const present = model.instants.map((_, k) => model.places[k].has(head.process) && (!child || model.places[k].has(head.child)));
	const track = new Track(head, bytes, at, present);
	if (head.kind === 'verdicts' && !present[whole(head.base, present.length - 1)]) throw new Damaged();
	if (head.frames && listOf(head.frames, length => whole(length)).length !== present.length) throw new Damaged();
	track.untold = model.known.states ? 'mapped, never touched' : 'mapped, left out of the core file';
	track.frameLengths = head.frames;
	track.framesOf = head.frames_of === undefined ? null : whole(head.frames_of, head.process - 1);
	track.warning = head.kind === 'verdicts' ? model.text(head.warning) : '';
	if (!isFork) giveSpans(track, process);
	return track;
}

export class Model {
	static async load(texts) {
		try {
			const head = JSON.parse(new TextDecoder().decode(await inflate(texts.head)));
			if (head.schema !== 'vmsnap.report/1') throw new Damaged();
			return new Model(head, await inflate(texts.values));
		} catch (error) {
			throw error instanceof Damaged ? error : new Damaged(error.message);
		}
	}
	constructor(head, bytes) {
		this.strings = listOf(head.strings, string);
		const text = number => this.text(number);
		Object.assign(this, { pageSize: whole(head.page_size, 2 ** 30), known: { ...head.known }, began: head.began_us / 1000,
			title: text(head.title), host: text(head.host), kernel: text(head.kernel), arch: text(head.arch), tool: text(head.tool) });
		if (!(this.pageSize >= 512 && Math.abs(this.began) < 8e15)) throw new Damaged();
		this.readClasses(head);
		this.instants = listOf(head.instants, ([us, label, reason, pause, date, held]) => {
			if (![us, date].every(since => Number.isSafeInteger(since) && Math.abs(this.began + since / 1000) < 8e15)) throw new Damaged();
			const taken = this.began + date / 1000; // 0: not known
			return { ms: us / 1000, taken: Math.abs(taken) < 1 ? 0 : taken, label: text(label), reason: text(reason), pause: whole(pause), held: !!held };
		});
		if (!this.instants.length) throw new Damaged();
		this.places = this.instants.map(() => new Map());
		this.moves = this.instants.map(() => new Map());
		for (const [instant, process, number, moved, parted] of rows(head.places, PLACE_FIELDS, (...row) => row)) {
			this.places[whole(instant, this.instants.length - 1)].set(process, number);
			this.moves[instant].set(process, { moved, parted });
		}
		this.processes = listOf(head.processes, (process, number) => readProcess(process, this, number));
		if (!this.processes.length) throw new Damaged();
		for (const process of this.processes) giveRegions(process);
		this.readTracks(head, bytes);
		this.names = rows(head.names, NAME_FIELDS, (process, page, offset, size, symbol, kind, object) =>
			({ process, page, address: page * head.page_size + offset, size, symbol: text(symbol), kind: text(kind), object: text(object) }));
		this.namesLeftOut = head.names_left_out;
		this.code = head.code === undefined ? null : readCode(head.code, this);
		this.readValues(head);
	}
	readValues(head) {
		const { wanted, compared, values } = head.contents, text = number => this.text(number);
		this.contents = { wanted: Boolean(wanted), bytesLeftOut: whole(head.contents.bytes_left_out), valuesLeftOut: whole(head.contents.values_left_out) };
		this.compared = new Set(rows(compared, 2, (process, instant) => `${process} ${instant}`));
		this.values = rows(values, VALUE_FIELDS, (process, instant, page, offset, size, name, type, object, before, now) =>
			({ process, instant, page, address: page * head.page_size + offset, size, name: text(name), type: text(type), object: text(object), before: text(before), now: text(now) }));
	}
	text(number) { return this.strings[whole(number, this.strings.length - 1)]; }
	readClasses(head) {
		this.classes = listOf(head.classes, ([name, words, letter, event]) => ({ name: string(name), words: string(words), letter: string(letter), event }));
		this.class = Object.fromEntries(this.classes.map((c, number) => [c.name, number]));
		this.states = listOf(head.states, string);
		this.present = Array.from(string(head.present), digit => digit === '1'); // whether it is in a frame
		this.verdicts = listOf(head.verdicts, ([name, number]) => ({ name: string(name), class: whole(number, this.classes.length - 1) }));
		if (this.classes.length > CLASSES_MAX || this.states.length > STATES_MAX || this.verdicts.length > VERDICTS_MAX) throw new Damaged();
		if (!CLASSES.every(name => name in this.class)) throw new Damaged();
		this.rules = readRules(head.rules, this.states.length, this.classes.length);
	}
	readTracks(head, bytes) {
		let at = 0;
		this.tracks = listOf(head.tracks, one => {
			const track = readTrack(one, this, bytes, at);
			at = track.end;
			return track;
		});
		if (!this.processes.every((_, number) => this.track(number, 'states'))) throw new Damaged();
		this.forks = this.tracks.filter(track => track.kind === 'verdicts');
		for (const track of this.tracks) track.kind === 'verdicts' ? tallyVerdicts(this, track, TOUCHED) : track.kind === 'states' && tallyStates(this, track);
	}
	// What is marked of a fork's verdicts: INFERRED, TOUCHED, for each page of it; null: nothing.
	marksAt(fork, instant) { return this.valuesFor(fork, this.tracks.find(one => one.kind === 'inferred' && one.process === fork.process && one.child === fork.child), instant); }
	// 1 for each page of a track that a debugger had written to, as told at an instant; null: none.
	touchedAt(track, instant) { return this.valuesFor(track, this.track(track.process, 'touched'), instant); }
	// The values of a track for the pages of another.
	valuesFor(track, other, instant) {
		if (!other?.pages) return null;
		const values = other.valuesAt(instant), out = new Uint8Array(track.pages);
		other.stretches(0, other.pages, (start, end) => track.pieces(start, end, (page, index, count) => {
			const from = other.indexOf(page);
			out.set(values.subarray(from, from + count), index);
		}));
		return out;
	}
	// What the kernel did to frames by itself from one snapshot to a later one: MOVED_NONE to MERGED, and how many pages it moved, of whomever.
	movedBetween(process, a, b, later = process) {
		const from = this.moves[a].get(process), to = this.moves[b].get(later);
		if (from?.moved === 1 || to?.moved === 1) return { how: MERGED, count: 0 };
		if (!from?.moved || !to?.moved || (to.parted - from.parted || to.moved - from.moved) < 0) return { how: MOVED_PERHAPS, count: 0 };
		const count = (to.moved - from.moved + MOVES_END) % MOVES_END + (to.parted > from.parted ? 1 : 0);
		return { how: count ? MOVED : MOVED_NONE, count };
	}
	// Of a fork, since the parent at its base: of both sides what is less certain.
	movedSince(fork, instant) {
		const of = [fork.process, fork.child].map(later => this.movedBetween(fork.process, fork.base, instant, later)), how = Math.max(...of.map(one => one.how));
		return { how, count: how === MOVED ? Math.max(...of.map(one => one.count)) : 0 };
	}
	track(process, kind) { return this.tracks.find(track => track.kind === kind && track.process === process); }
	forksOf(process) { return this.forks.filter(track => track.process === process || track.child === process); }

	// A process and those that it was forked from and whose names it has, as it runs the same program.
	ancestors(process) {
		const out = [process];
		for (const one of out) for (const fork of this.forks) if (fork.child === one && !out.includes(fork.process) && this.processes[one].exe === this.processes[fork.process].exe) out.push(fork.process);
		return out;
	}
	namesOf(process) {
		const wanted = new Set(this.ancestors(process)), seen = new Set();
		return this.names.filter(name => {
			const key = `${name.address} ${name.symbol}`;
			return wanted.has(name.process) && !seen.has(key) && seen.add(key);
		});
	}
	// Names with bytes in [from, to), pages.
	namesIn(process, from, to, most = 40) {
		const out = new Map();
		for (const one of this.ancestors(process))
			for (const name of this.ownNamesIn(one, from, to, most)) if (out.size < most) out.set(`${name.address} ${name.symbol}`, name);
		return [...out.values()].sort((a, b) => a.address - b.address);
	}
	ownNamesIn(process, from, to, most) {
		const out = [], { names } = this;
		let low = 0, high = names.length;
		while (low < high) {
			const middle = (low + high) >> 1, name = names[middle];
			if (name.process < process || name.process === process && name.page < from) low = middle + 1; else high = middle;
		}
		for (let i = low - 1; i >= 0 && i > low - 200 && names[i].process === process; i--)
			if (names[i].address + names[i].size > from * this.pageSize) out.unshift(names[i]);
		for (let i = low; i < names.length && names[i].process === process && names[i].page < to && out.length < most; i++) out.push(names[i]);
		return out;
	}
}
