// Frames of pages: inflated only when somebody asks.
import { Damaged, Reader, inflate } from './bytes.js';

function readInstant(reader, track, instant) {
	const index = [], count = [], frame = [];
	let at = 0, expected = 0;
	while (reader.more()) {
		at += reader.number();
		const pages = reader.number() + 1, first = expected + reader.signed();
		if (at + pages > track.pages || first < 0) throw new Damaged();
		index.push(at);
		count.push(pages);
		frame.push(first);
		at += pages;
		expected = first + pages;
	}
	return { track, instant, index: Uint32Array.from(index), count: Uint32Array.from(count), frame: Float64Array.from(frame) };
}

// Which of a part's runs has a page; -1: none.
function runOf({ index, count }, page) {
	let low = 0, high = index.length - 1;
	while (low < high) {
		const middle = (low + high + 1) >> 1;
		if (index[middle] <= page) low = middle; else high = middle - 1;
	}
	return page >= index[low] && page < index[low] + count[low] ? low : -1;
}

export class Frames {
	// parts: { track: what became known at each instant, in order }
	constructor(model, parts) { Object.assign(this, { model, parts }); }

	static async load(model, text) {
		const bytes = await inflate(text), parts = new Map();
		let at = 0;
		for (const track of model.tracks) {
			if (!track.frameLengths) continue;
			const own = [];
			track.frameLengths.forEach((length, k) => {
				const reader = new Reader(bytes, at, at + length);
				if (length) own.push(readInstant(reader, track, k));
				at += length;
			});
			parts.set(track, own);
		}
		return new Frames(model, parts);
	}
	// The last frame that was known of a page at an instant; null: none.
	of(track, index, instant) {
		let found = null, since = -1;
		for (const part of this.parts.get(track) ?? []) {
			if (part.instant > instant) break;
			const run = runOf(part, index);
			if (run >= 0) found = part.frame[run] + index - part.index[run], since = part.instant;
		}
		return this.moved(track, index, since, instant) ?? found ?? this.inherited(track, index, instant);
	}
	// Of a page that was put there from elsewhere meanwhile.
	moved(track, index, since, instant) {
		const page = track.pageOf(index), here = change => !change.replaced && change.instant > since && change.instant <= instant && page >= change.page && page < change.page + change.pages;
		const change = this.model.processes[track.process].changes.filter(here).pop();
		if (!change || !change.instant) return null;
		const from = track.indexOf(change.from + page - change.page);
		return from < 0 ? null : this.of(track, from, change.instant - 1);
	}
	// Of a page that is the parent's still, at the first instant of a child.
	inherited(track, index, instant) {
		const first = track.present.indexOf(true), parent = track.framesOf === null ? null : this.model.track(track.framesOf, 'states');
		if (!parent || instant < first || !this.model.present[track.valuesAt(first)[index]]) return null;
		const at = parent.indexOf(track.pageOf(index));
		return at < 0 ? null : this.of(parent, at, first);
	}
	// Which pages had a frame, and since when.
	pages(frame, most) {
		const out = [];
		for (const [track, parts] of this.parts) {
			for (const { instant, index, count, frame: first } of parts)
				for (let i = 0; i < index.length && out.length < most; i++)
					if (frame >= first[i] && frame < first[i] + count[i]) out.push({ track, instant, index: index[i] + frame - first[i] });
			const first = track.present.indexOf(true), parent = track.framesOf;
			for (const hit of parent === null ? [] : out.filter(one => one.track.process === parent && one.instant <= first)) {
				const index = track.indexOf(hit.track.pageOf(hit.index));
				if (index >= 0 && this.of(track, index, first) === frame) out.push({ track, instant: first, index });
			}
		}
		return out;
	}
}
