// The class of each page of a track, for what is being looked at: looked up, never decided here.
import { FRAME } from './track.js';

const HAND = 128; // beside what a page was at A: a debugger had written to it

// What each page was at A, taken along where memory moved, and what happened to it until B.  replaced: null, if nothing was.
function walkFromA(model, view) {
	const track = view.track, { a, b } = view, changes = model.processes[track.process].changes.filter(({ instant }) => instant > a && instant <= b);
	const touched = model.touchedAt(track, a), values = track.present[a] ? track.valuesAt(a) : new Uint8Array(track.pages), before = touched || changes.length ? values.slice() : values;
	if (touched) for (let i = 0; i < before.length; i++) before[i] |= touched[i] * HAND;
	const moved = new Uint8Array(track.pages), replaced = changes.some(change => change.replaced) ? new Uint8Array(track.pages) : null;
	for (let k = a + 1; k <= b; k++) {
		for (const change of changes) if (change.instant === k) takeAlong(track, change, before, moved, replaced);
		track.changes(k, (index, end, change) => { if (change & FRAME) moved.fill(1, index, end); });
	}
	return { before, moved, replaced };
}

export function takeAlong(track, change, before, moved, replaced) {
	const { from, page, pages } = change;
	if (change.replaced) return track.pieces(page, page + pages, (_, index, count) => replaced.fill(1, index, index + count));
	const held = [];
	track.pieces(from, from + pages, (at, index, count) => {
		held.push([at - from, before.slice(index, index + count), moved.slice(index, index + count)]);
		before.fill(0, index, index + count);
		moved.fill(0, index, index + count);
	});
	for (const [offset, values, bits] of held)
		track.pieces(page + offset, page + offset + values.length, (at, index, count) => {
			const skip = at - page - offset;
			before.set(values.subarray(skip, skip + count), index);
			moved.set(bits.subarray(skip, skip + count), index);
		});
}

// 1 where it is known that a page was written after A and until B.
function writtenSince(model, track, a, b) {
	const written = model.track(track.process, 'written');
	if (!written || !written.pages || a >= b) return null;
	const now = written.valuesAt(a + 1).slice(), ever = now.slice();
	for (let k = a + 2; k <= b; k++)
		written.changes(k, (index, end, change) => { for (; index < end; index++) ever[index] |= now[index] ^= change & 1; });
	return { track: written, ever };
}

function drawWritten(model, view, out) {
	const written = writtenSince(model, view.track, view.a, view.b);
	if (!written) return;
	for (let segment = 0; segment < written.track.start.length; segment++)
		view.track.pieces(written.track.start[segment], written.track.segmentEnd(segment), (page, index, count) => {
			const from = written.track.indexOf(page);
			for (let i = 0; i < count; i++)
				if (written.ever[from + i] && !model.classes[out[index + i]].event) out[index + i] = model.class.written;
		});
}

// Whose memory each page is at B, which says what rules hold.  Where nothing is mapped any more, or other memory, there is
// no file that what was there could be read from again: it is gone, as anonymous memory is.
function memoryOf(model, { track, b }) {
	const out = new Uint8Array(track.pages);
	for (const vma of model.processes[track.process].vmas) if (vma.first <= b && vma.last >= b) paintMemory(track, vma, vma.memory, out);
	return out;
}
export function paintMemory(track, vma, memory, out) { track.pieces(vma.start, vma.end, (_, index, count) => out.fill(memory, index, index + count)); }
// The class of a page by what it was, whether its frame changed, and what it is.
export function classAt({ changed, states }, memory, replaced, moved, before, now) {
	if (replaced) now ? before = 0 : memory = 0;
	return changed[((memory * 2 + moved) * states + before) * states + now];
}

const inFours = bytes => new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
// out[i] = one(i), which is of nothing but the same byte of each of five: neighbours are alike as a rule, and four that are as the
// four before them are not looked up.
export function fillByFours(out, five, one) {
	const fours = inFours(out), [a, b, c, d, e] = five.map(inFours);
	for (let i = 0; i < fours.length; i++) {
		if (i && a[i] === a[i - 1] && e[i] === e[i - 1] && b[i] === b[i - 1] && d[i] === d[i - 1] && c[i] === c[i - 1]) fours[i] = fours[i - 1];
		else for (let k = 4 * i; k < 4 * i + 4; k++) out[k] = one(k);
	}
	for (let k = 4 * fours.length; k < out.length; k++) out[k] = one(k);
}

function classifyChanges(model, view, out) {
	const { before, moved, replaced } = walkFromA(model, view), now = view.track.valuesAt(view.b), memory = memoryOf(model, view);
	fillByFours(out, [before, moved, replaced ?? moved, memory, now], i => classAt(model.rules, memory[i], replaced?.[i], moved[i], before[i] & ~HAND, now[i]));
	drawWritten(model, view, out);
	if (!model.track(view.track.process, 'touched')?.pages) return;
	const touched = model.touchedAt(view.track, view.b);
	view.touched = out.map((c, i) => model.classes[c].event && (before[i] & HAND || touched[i]) ? 1 : 0);
}

// What view.classes is to be; and view.touched: 1 where something happened to a page that a debugger wrote to, as A or B tells;
// null: to none.
export function classify(model, view) {
	const out = new Uint8Array(view.track.pages);
	view.touched = null;
	if (view.mode === 'cow') {
		const values = view.track.valuesAt(view.b), of = [0, ...model.verdicts.map(verdict => verdict.class)];
		for (let i = 0; i < out.length; i++) out[i] = of[values[i]] ?? 0;
	} else if (view.mode === 'diff') {
		classifyChanges(model, view, out);
	} else {
		const values = view.track.valuesAt(view.mode === 'a' ? view.a : view.b);
		for (let i = 0; i < out.length; i++) out[i] = model.rules.quiet[values[i]];
	}
	return out;
}

// What a class is called in what is looked at.  Between A and B what nothing happened to is less than what is so at B, as
// the timeline has it: it is called otherwise.
export function wordsOf(model, { mode }, c) {
	const { words } = model.classes[c], { new: fresh, gone, private: own, shared, file, zero, swapped } = model.class;
	if (mode === 'cow') return { [fresh]: 'new in either', [gone]: 'dropped', [shared]: 'still shared' }[c] ?? words;
	if (mode === 'diff' && c === own) return 'other private'; // what was not copied here: before A, or when others did
	return mode === 'diff' && [shared, file, zero, swapped].includes(c) ? `${words}, kept` : words;
}

// Pages of each class in [from, to), added to counts: what never had a value is not resident.
export function countIn(view, counts, from, to) {
	let told = 0;
	view.track.pieces(from, to, (_, index, count) => {
		view.counted.add(counts, 0, index, count);
		told += count;
	});
	counts[0] += to - from - told;
}
