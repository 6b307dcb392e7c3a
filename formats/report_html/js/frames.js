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

export class Frames {
	constructor(parts) { this.parts = parts; }

	static async load(model, text) {
		const bytes = await inflate(text), parts = [];
		let at = 0;
		for (const track of model.tracks) {
			if (!track.frameLengths) continue;
			track.frameLengths.forEach((length, k) => {
				const reader = new Reader(bytes, at, at + length);
				if (length) parts.push(readInstant(reader, track, k));
				at += length;
			});
		}
		return new Frames(parts);
	}
	// The last frame that was known of a page at an instant; null: none.
	of(track, index, instant) {
		let found = null;
		for (const part of this.parts) {
			if (part.track !== track || part.instant > instant) continue;
			let low = 0, high = part.index.length - 1;
			while (low < high) {
				const middle = (low + high + 1) >> 1;
				if (part.index[middle] <= index) low = middle; else high = middle - 1;
			}
			if (index >= part.index[low] && index < part.index[low] + part.count[low]) found = part.frame[low] + index - part.index[low];
		}
		return found;
	}
	// Which pages had a frame, and since when.
	pages(frame, most) {
		const out = [];
		for (const { track, instant, index, count, frame: first } of this.parts)
			for (let i = 0; i < index.length && out.length < most; i++)
				if (frame >= first[i] && frame < first[i] + count[i]) out.push({ track, instant, index: index[i] + frame - first[i] });
		return out;
	}
}
