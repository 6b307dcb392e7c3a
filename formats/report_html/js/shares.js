// What of a fork's sharing is lost and what is kept, in pages, as `vmsnap cow` counts it; and how far that is known.
import { pages, percent } from './ui.js';

export const LOST = ['copied_by_child', 'copied_by_parent', 'copied_by_both', 'copied'];

export function sharesOf(model, fork, instant) {
	const counts = fork.counts[instant] ?? [], inferred = model.inferredAt(fork, instant), guessed = new Float64Array(model.verdicts.length + 1);
	if (inferred) fork.valuesAt(instant).forEach((value, i) => { guessed[value] += inferred[i]; });
	const sum = (of, names) => model.verdicts.reduce((all, verdict, i) => all + (names.includes(verdict.name) ? of[i + 1] ?? 0 : 0), 0);
	return { lost: sum(counts, LOST), shared: sum(counts, ['shared']), unknown: sum(counts, ['unknown']), lostInferred: sum(guessed, LOST), sharedInferred: sum(guessed, ['shared']) };
}

const isKnown = ({ lost, shared, lostInferred, sharedInferred }) => lost + shared > lostInferred + sharedInferred;

// What rests on frames is told as a fact; of all else it is said.  '': nothing was copied.
export function lostWords(shares) {
	const { lost, shared, unknown } = shares;
	if (!lost && (isKnown(shares) || !(shared || unknown))) return '';
	if (isKnown(shares)) return `${percent(lost / (lost + shared))} of the sharing is lost`;
	return `How much of the sharing is lost is not known${lost || shared ? `; inferred: ${percent(lost / (lost + shared))}` : ''}`;
}
export function doubtWords(shares) {
	const { unknown, lostInferred, sharedInferred } = shares, known = isKnown(shares);
	return [known && lostInferred ? `that ${pages(lostInferred)} were copied is inferred` : '', sharedInferred && (known || !shares.lost) ? `that ${pages(sharedInferred)} are shared is inferred` : '',
		unknown ? `of ${pages(unknown)} nothing is known` : ''].filter(Boolean).join('; ');
}
