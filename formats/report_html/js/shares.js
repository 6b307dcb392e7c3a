// What of a fork's sharing is lost and what is kept, in pages, as `vmsnap cow` counts it; and how far that is known.
import { INFERRED, MOVED_PERHAPS, TOUCHED } from './model.js';
import { number, pages, percent } from './ui.js';

export const LOST = ['copied_by_child', 'copied_by_parent', 'copied_by_both', 'copied'];

// Pages that were lost by an instant.
export const lostAt = (model, fork, instant) => model.verdicts.reduce((sum, { name }, i) => sum + (LOST.includes(name) ? fork.own[instant][i + 1] : 0), 0);

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
