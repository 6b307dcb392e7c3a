// One value for each page that ever had one, over all instants: kept as what changes from one to the next.
import { Damaged, Reader, whole } from './bytes.js';

const PAGES_MAX = 64 * 1024 * 1024;
export const FRAME = 32; // in what changes: the page's frame is another one than was known last

function readSegments(flat) {
	if (!Array.isArray(flat) || flat.length % 2) throw new Damaged();
	const count = flat.length / 2, start = new Float64Array(count), first = new Float64Array(count + 1);
	let page = 0, pages = 0;
	for (let i = 0; i < count; i++) {
		const gap = whole(flat[2 * i], 2 ** 52), length = whole(flat[2 * i + 1], PAGES_MAX);
		if (!length) throw new Damaged();
		page += gap;
		start[i] = page;
		page += length;
		pages += length;
		first[i + 1] = pages;
	}
	if (!(pages <= PAGES_MAX && page < 2 ** 52)) throw new Damaged();
	return { start, first, pages };
}

// Where the bytes of each instant begin, and where those of the last end.
function offsets(lengths, instants, at) {
	if (!Array.isArray(lengths) || lengths.length !== instants) throw new Damaged();
	const out = new Float64Array(instants + 1);
	out[0] = at;
	lengths.forEach((length, k) => {
		out[k + 1] = out[k] + whole(length);
	});
	return out;
}

export class Track {
	// head: of the page's head; values: all bytes; at: where this track's begin; present: at which instants it is there.
	constructor(head, values, at, present) {
		const { start, first, pages } = readSegments(head.segments);
		Object.assign(this, { kind: head.kind, process: head.process, child: head.child, base: head.base, start, first, pages, values, present });
		this.at = offsets(head.values, present.length, at);
		if (this.end > values.length) throw new Damaged();
		this.mask = this.kind === 'states' ? FRAME - 1 : 63;
		this.kept = new Map();
		this.step = Math.max(4, Math.ceil(present.length / Math.max(2, Math.min(16, 128e6 / (pages || 1)))));
	}
	get end() { return this.at[this.at.length - 1]; }

	// The last segment that begins at or before a page.
	segmentAt(page) {
		let low = 0, high = this.start.length - 1;
		while (low < high) {
			const middle = (low + high + 1) >> 1;
			if (this.start[middle] <= page) low = middle; else high = middle - 1;
		}
		return low;
	}
	segmentEnd(segment) { return this.start[segment] + this.first[segment + 1] - this.first[segment]; }
	// The number of a page in the track; -1: it never had a value.
	indexOf(page) {
		if (!this.pages) return -1;
		const segment = this.segmentAt(page);
		return page >= this.start[segment] && page < this.segmentEnd(segment) ? this.first[segment] + page - this.start[segment] : -1;
	}
	pageOf(index) {
		let low = 0, high = this.start.length - 1;
		while (low < high) {
			const middle = (low + high + 1) >> 1;
			if (this.first[middle] <= index) low = middle; else high = middle - 1;
		}
		return this.start[low] + index - this.first[low];
	}
	// fn(page, end) for each range of pages that numbers [from, to) are of.
	stretches(from, to, fn) {
		for (let index = from; index < to;) {
			const page = this.pageOf(index), count = Math.min(to - index, this.segmentEnd(this.segmentAt(page)) - page);
			fn(page, page + count);
			index += count;
		}
	}
	// The first page at or after one that ever had a value.
	nextPage(page) {
		if (!this.pages) return Infinity;
		const segment = this.segmentAt(page);
		if (page < this.start[segment]) return this.start[segment];
		return page < this.segmentEnd(segment) ? page : this.start[segment + 1] ?? Infinity;
	}
	// fn(page, index, count) for each piece of [from, to) that ever had a value.
	pieces(from, to, fn) {
		if (!this.pages) return;
		for (let segment = this.segmentAt(from); segment < this.start.length && this.start[segment] < to; segment++) {
			const page = Math.max(from, this.start[segment]), end = Math.min(to, this.segmentEnd(segment));
			if (page < end) fn(page, this.first[segment] + page - this.start[segment], end - page);
		}
	}
	// fn(index, end, change) for each run of pages that changed at an instant.
	changes(instant, fn) {
		const reader = new Reader(this.values, this.at[instant], this.at[instant + 1]);
		let index = 0;
		while (reader.more()) {
			const token = reader.number(), end = index + Math.floor(token / 64) + 1, change = token % 64;
			if (end > this.pages) throw new Damaged();
			if (change) fn(index, end, change);
			index = end;
		}
	}
	apply(out, instant) {
		this.changes(instant, (index, end, change) => {
			const bits = change & this.mask;
			if (bits) for (; index < end; index++) out[index] ^= bits;
		});
	}
	// The values at an instant.  Some are kept, so that others are near to one.
	valuesAt(instant) {
		let from = -1;
		for (const k of this.kept.keys()) if (k <= instant && k > from) from = k;
		if (from === instant) return this.kept.get(instant);
		const out = from < 0 ? new Uint8Array(this.pages) : this.kept.get(from).slice();
		for (let k = from + 1; k <= instant; k++) this.apply(out, k);
		this.keep(instant, out);
		return out;
	}
	keep(instant, values) {
		for (const k of this.kept.keys())
			if (k % this.step && this.kept.size * this.pages > 64e6 + 2 * this.pages) {
				this.kept.delete(k);
				break;
			}
		this.kept.set(instant, values);
	}
	// The values of one page at each instant, with FRAME where its frame changed.
	history(index) {
		const out = new Uint8Array(this.present.length);
		let value = 0;
		for (let k = 0; k < out.length; k++) {
			let moved = 0;
			this.changes(k, (from, end, change) => {
				if (index < from || index >= end) return;
				value ^= change & this.mask;
				moved = this.kind === 'states' ? change & FRAME : 0;
			});
			out[k] = value | moved;
		}
		return out;
	}
}
