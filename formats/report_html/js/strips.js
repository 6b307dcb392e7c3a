// Mappings as strips: the segments of one file, the anonymous memory right behind it and guards of stacks are one.
import { countIn } from './classes.js';

function mappedAt(process, instant) { return process.vmas.filter(vma => vma.first <= instant && vma.last >= instant); }

// What of vmas is not of `there`, which is in the order of addresses: there may be many thousands.
function beyond(vmas, there, more) {
	const out = [];
	let next = 0;
	for (const vma of vmas.sort((a, b) => a.start - b.start)) {
		let start = vma.start;
		while (next < there.length && there[next].end <= vma.start) next++;
		for (let i = next; i < there.length && there[i].start < vma.end; i++) {
			const other = there[i];
			if (other.start > start) out.push({ ...vma, start, end: other.start, ...more });
			start = Math.max(start, other.end);
		}
		if (start < vma.end) out.push({ ...vma, start, ...more });
	}
	return out;
}

// As the terminal has them (formats/view/mapping_groups.c).  A guard lies below what it guards.
const GUARD_BYTES_MAX = 65536;
function looksLikeGuard(model, vma, next) {
	return vma && next && !vma.name && !next.name && vma.perms === '---p' && next.perms[1] === 'w' && vma.end === next.start && (vma.end - vma.start) * model.pageSize <= GUARD_BYTES_MAX;
}
// Behind what is mapped as a program or a library is.
function isBss({ name, vmas }, before, { label, perms }) {
	return name.startsWith('/') && !!before.name && vmas.some(vma => vma.perms[2] === 'x') && before.perms[1] === 'w' && before.perms[3] === 'p' && perms[0] === 'r' && (!label || label.startsWith('/'));
}

// Segments of one file; what lies wall to wall behind one (.bss); a guard and what it guards, a heap and its reserve.
function belongs(model, strip, list, i) {
	const vma = list[i], before = list[i - 1];
	if (!strip) return false;
	if (vma.name) return strip.name === vma.name && vma.start - strip.end < 1024;
	if (vma.start !== strip.end) return false;
	if (strip.name) return isBss(strip, before, vma);
	if (before.label === `guard of the ${vma.label}` || vma.label === `reserved for ${strip.label}`) return true;
	if (vma.label || before.label) return vma.label === before.label;
	return !looksLikeGuard(model, vma, list[i + 1]) && !looksLikeGuard(model, list[i - 2], before);
}

export function makeStrips(model, view) {
	const process = model.processes[view.track.process], out = [];
	let list = mappedAt(process, view.mode === 'a' ? view.a : view.b);
	list.sort((a, b) => a.start - b.start);
	// What B does not map any more, where A did; and what only the child maps.
	if (view.mode === 'diff') list = list.concat(beyond(mappedAt(process, view.a), list, { unmapped: true }));
	if (view.mode === 'cow') list = list.concat(beyond(mappedAt(model.processes[view.track.child], view.b), list, { label: 'only in the child' }));
	list.sort((a, b) => a.start - b.start);
	for (const [i, vma] of list.entries()) {
		const strip = out[out.length - 1];
		if (belongs(model, strip, list, i)) {
			strip.vmas.push(vma);
			strip.end = vma.end;
			strip.size += vma.end - vma.start;
			if (strip.vmas.length === 2 && strip.vmas[0].perms.startsWith('---') && !strip.name) strip.label = vma.label;
		} else out.push({ name: vma.name, label: vma.label, start: vma.start, end: vma.end, size: vma.end - vma.start, vmas: [vma] });
	}
	for (const strip of out) {
		strip.perms = strip.vmas.length > 1 ? `×${strip.vmas.length}` : strip.vmas[0].perms;
		strip.unmapped = strip.vmas.every(vma => vma.unmapped);
		strip.title = strip.name || strip.label || '';
	}
	return out;
}

// Pages by class, counted when first asked for.
export function countsOf(model, view, strip) {
	if (strip.counts) return strip.counts;
	strip.counts = new Float64Array(model.classes.length);
	for (const vma of strip.vmas) countIn(view, strip.counts, vma.start, vma.end);
	return strip.counts;
}
export function stripAt(strips, page) {
	let low = 0, high = strips.length;
	while (low < high) {
		const middle = (low + high) >> 1;
		if (strips[middle].end <= page) low = middle + 1; else high = middle;
	}
	return strips[low] && page >= strips[low].start ? strips[low] : undefined;
}
