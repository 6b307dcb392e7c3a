// Sums for each instant, in one pass over what changed: pages by state and by region, verdicts, and what happened since
// the instant before, which is what classes.js says of those two.
import { Damaged } from './bytes.js';
import { classAt, paintMemory, takeAlong } from './classes.js';
import { FRAME } from './track.js';

// Pages of memory that moved, or that other memory took the place of, from one instant to the next.
class Movers {
	constructor(track, changes) {
		Object.assign(this, { track, byInstant: new Map() });
		for (const change of changes) this.byInstant.set(change.instant, [...this.byInstant.get(change.instant) ?? [], change]);
		if (changes.length) for (const name of ['here', 'before', 'moved', 'replaced']) this[name] = new Uint8Array(track.pages);
	}
	begin(instant, values) {
		const changes = this.byInstant.get(instant);
		this.ranges = [];
		if (!changes) return false;
		for (const { from, page, pages } of changes) for (const start of new Set([from, page])) this.track.pieces(start, start + pages, (_, index, count) => this.ranges.push([index, index + count]));
		for (const [index, end] of this.ranges) {
			this.here.fill(1, index, end);
			this.before.set(values.subarray(index, end), index);
		}
		for (const change of changes) takeAlong(this.track, change, this.before, this.moved, this.replaced);
		return true;
	}
	// fn(index, replaced, moved, before) of each of them.
	end(fn) {
		for (const [from, end] of this.ranges)
			for (let i = from; i < end; i++) {
				if (!this.here[i]) continue;
				fn(i, this.replaced[i], this.moved[i], this.before[i]);
				this.here[i] = this.moved[i] = this.replaced[i] = 0;
			}
	}
}

// Of which pages it is known that they were written to since the instant before.
class Writes {
	constructor(track, written) {
		Object.assign(this, { track, written, pages: 0 });
		this.now = written?.pages ? new Uint8Array(track.pages) : null;
	}
	go(instant) {
		if (!this.now) return;
		this.written.changes(instant, (from, until, change) => {
			if (change & 1) this.written.stretches(from, until, (page, end) => this.track.pieces(page, end, (_, index, count) => {
				for (let i = index; i < index + count; i++) this.pages += (this.now[i] ^= 1) ? 1 : -1;
			}));
		});
	}
}

export function tallyStates(model, track) {
	const process = model.processes[track.process], values = new Uint8Array(track.pages), { first, region } = track.spans;
	const counts = new Float64Array(model.states.length), regions = new Float64Array(process.regions.length || 1);
	const movers = new Movers(track, process.changes), writes = new Writes(track, model.track(track.process, 'written'));
	const memory = new Uint8Array(track.pages), begins = [...process.vmas].sort((a, b) => a.first - b.first), ends = [...process.vmas].sort((a, b) => a.last - b.last);
	let begun = 0, ended = 0;
	counts[0] = track.pages;
	Object.assign(track, { counts: [], events: [], regions: [] });
	track.present.forEach((there, k) => {
		for (; ended < ends.length && ends[ended].last < k; ended++) paintMemory(track, ends[ended], 0, memory);
		for (; begun < begins.length && begins[begun].first <= k; begun++) paintMemory(track, begins[begun], begins[begun].memory, memory);
		const events = new Float64Array(model.classes.length), some = movers.begin(k, values);
		let span = 0, seen = 0; // seen: written pages to which something else happened
		writes.go(k);
		const happened = (index, replaced, moved, before) => {
			const found = classAt(model.rules, memory[index], replaced, moved, before, values[index]);
			events[found]++;
			if (writes.now?.[index] && model.classes[found].event) seen++;
		};
		track.changes(k, (index, end, change) => {
			const moved = change & FRAME ? 1 : 0, bits = change & (FRAME - 1);
			while (index < end) {
				while (span + 1 < first.length && first[span + 1] <= index) span++;
				const stop = span + 1 < first.length ? Math.min(end, first[span + 1]) : end;
				for (; index < stop; index++) {
					const before = values[index], now = before ^ bits;
					if (now >= counts.length) throw new Damaged();
					values[index] = now;
					counts[before]--;
					counts[now]++;
					if (some && movers.here[index]) movers.moved[index] |= moved;
					else happened(index, 0, moved, before);
					regions[region[span]] += !before - !now;
				}
			}
		});
		movers.end(happened);
		events[model.class.written] += writes.pages - seen;
		track.counts.push(there ? counts.slice() : null);
		track.events.push(events);
		track.regions.push(there ? regions.slice() : null);
		if (k % track.step === 0) track.kept.set(k, values.slice());
	});
}

// counts: of each verdict; own: without pages that a debugger touched.
export function tallyVerdicts(model, track, touched) {
	const values = new Uint8Array(track.pages), counts = new Float64Array(32);
	counts[0] = track.pages;
	track.counts = track.present.map((there, k) => {
		track.changes(k, (index, end, change) => {
			for (; index < end; index++) {
				counts[values[index]]--;
				counts[values[index] ^= change]++;
				if (values[index] > model.verdicts.length) throw new Damaged();
			}
		});
		return there ? counts.slice() : null;
	});
	track.own = track.counts.map((all, k) => {
		const marks = all && model.marksAt(track, k), own = all?.slice() ?? null;
		if (marks?.some(mark => mark & touched)) track.valuesAt(k).forEach((value, i) => { if (marks[i] & touched) own[value]--; });
		return own;
	});
}
