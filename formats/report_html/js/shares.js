// What of a fork's sharing is lost and what is kept, in pages, as `vmsnap cow` counts it; and how far that is known.
import { INFERRED, MOVED_PERHAPS, TOUCHED } from './model.js';
import { duration, number, pages, percent } from './ui.js';

export const LOST = ['copied_by_child', 'copied_by_parent', 'copied_by_both', 'copied'];

// Pages that were lost by an instant.
export const lostAt = (model, fork, instant) => model.verdicts.reduce((sum, { name }, i) => sum + (LOST.includes(name) ? fork.own[instant][i + 1] : 0), 0);

// When most of it was lost, by those instants at which both were there; as the library tells it (formats/view/fork_when.c).
// null: not known.  Times are milliseconds since the fork, or since the base.
const PARTS = 20;
export function whenLost(model, fork, instant) {
	const { instants } = model, { started } = model.processes[fork.child], forked = started <= instants[fork.base].ms, zero = forked ? started : instants[fork.base].ms;
	const looks = fork.present.map((there, k) => there && k >= fork.base && k <= instant ? { at: instants[k].ms - zero, lost: lostAt(model, fork, k), k } : null).filter(Boolean);
	if (forked) looks.unshift({ at: 0, lost: 0 });
	const first = looks[0], last = looks[looks.length - 1];
	if (!model.known.pfn || !last || last.lost <= first.lost) return null;
	const search = bytes => {
		let low = 0, high = looks.length - 1;
		while (high - low > 1) {
			const middle = low + high >> 1;
			if (looks[middle].lost > bytes) high = middle;
			else low = middle;
		}
		return [looks[low], looks[high]];
	};
	const little = Math.floor(last.lost / PARTS), [none, some] = first.lost ? [null, first] : search(0);
	const from = first.lost <= little ? search(little)[0] : first, to = first.lost < last.lost - little ? search(last.lost - little - 1)[1] : last;
	return to.at > from.at && to.lost > from.lost ? { forked, none, first: some, from, to, most: to.lost - from.lost, lost: last.lost } : null;
}
// The kernel tells when a child was made to 10 ms.
const TICK = 10;
const ticks = ms => ms < 1000 ? `${Math.max(TICK, Math.floor(ms / TICK) * TICK)} ms` : ms < 100000 ? `${(ms / 1000).toPrecision(3)} s` : duration(ms);
const stretch = (within, from, to) => from ? `between ${ticks(from)} and ${ticks(to)}` : `${within} ${ticks(to)}`;
export function whenWords(when) {
	if (!when) return '';
	const { forked, none, first, from, to, most, lost } = when, part = Math.floor(100 * most / lost);
	const much = most === lost ? 'all of it' : most < lost - Math.floor(lost / 10) ? `${part} % of it` : `most of it (${part} %)`;
	const began = !none ? `, ${pages(first.lost)} by the base` : first.at < to.at ? `, first ${none.at ? 'copy ' : ''}${stretch('seen at', none.at, first.at)}` : '';
	return `${much} ${stretch('within', from.at, to.at)} after the ${forked ? 'fork' : 'base'}${began}`;
}

export function sharesOf(model, fork, instant) {
	const counts = fork.own[instant] ?? [], marks = model.marksAt(fork, instant), guessed = new Float64Array(model.verdicts.length + 1);
	if (marks) fork.valuesAt(instant).forEach((value, i) => { guessed[value] += marks[i] === INFERRED; });
	const sum = (of, names) => model.verdicts.reduce((all, verdict, i) => all + (names.includes(verdict.name) ? of[i + 1] ?? 0 : 0), 0);
	return { lost: sum(counts, LOST), shared: sum(counts, ['shared']), unknown: sum(counts, ['unknown']), either: sum(counts, ['copied']), touched: marks ? marks.reduce((all, mark) => all + (mark & TOUCHED ? 1 : 0), 0) : 0, lostInferred: sum(guessed, LOST), sharedInferred: sum(guessed, ['shared']) };
}

const isKnown = ({ lost, shared, lostInferred, sharedInferred }) => lost + shared > lostInferred + sharedInferred;

// What rests on frames is told as a fact; of all else it is said.  '': nothing was copied.
export function lostWords(shares) {
	const { lost, shared, unknown } = shares;
	if (!lost && (isKnown(shares) || !(shared || unknown))) return '';
	if (isKnown(shares)) return `${percent(lost / (lost + shared))} of the sharing is lost`;
	return `How much of the sharing is lost is not known${lost || shared ? `; inferred: ${percent(lost / (lost + shared))}` : ''}`;
}
// As the command line says it.
export const movedWords = ({ how, count }) => ['', `the kernel moved ${number(count)} page${count === 1 ? '' : 's'} meanwhile`, 'the kernel may have moved pages meanwhile', 'KSM may have merged pages meanwhile'][how];
// Of two looks at one process what may be is not said, unless KSM is at it.
export function movedFrom(model, process, a, b) {
	const moved = model.movedBetween(process, a, b);
	return !model.known.pfn || moved.how === MOVED_PERHAPS ? '' : movedWords(moved);
}
// Where it may be why something is not known, or not for certain.
export function movedSince(model, fork, instant, { either, lostInferred, sharedInferred, unknown }) {
	return model.known.pfn && (either || lostInferred || sharedInferred || unknown) ? movedWords(model.movedSince(fork, instant)) : '';
}

export function doubtWords(model, fork, instant, shares) {
	const { unknown, touched, lostInferred, sharedInferred } = shares, known = isKnown(shares);
	return [known && lostInferred ? `that ${pages(lostInferred)} were copied is inferred` : '', sharedInferred && (known || !shares.lost) ? `that ${pages(sharedInferred)} are shared is inferred` : '',
		movedSince(model, fork, instant, shares),
		unknown ? `of ${pages(unknown)} nothing is known` : '', touched ? `${pages(touched)} touched by gdb, not counted here` : ''].filter(Boolean).join('; ');
}
// Behind the name of a page's verdict.
export const markWords = marks => `${marks & INFERRED ? ', inferred' : ''}${marks & TOUCHED ? ', touched by gdb' : ''}`;
