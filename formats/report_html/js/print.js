// For paper: the sentence, the timeline, a picture of each of the largest mappings, and their table.
import { $, el, hex, pages } from './ui.js';
import { countsOf } from './strips.js';

const PICTURES = 12, ROWS = 40;

function copyOf(canvas, label) {
	const copy = el('canvas', { role: 'img', 'aria-label': label });
	copy.width = canvas.width;
	copy.height = canvas.height;
	copy.getContext('2d').drawImage(canvas, 0, 0);
	return copy;
}

export function fillPrint(model, view, map) {
	const { copied, child, new: fresh, gone, written } = model.class, counts = strip => countsOf(model, view, strip);
	const rows = [...view.strips].sort((a, b) => b.size - counts(b)[0] - a.size + counts(a)[0]).slice(0, ROWS);
	const amount = count => count ? pages(count) : '';
	const cells = strip => [hex(strip.start), pages(strip.size), strip.perms, amount(counts(strip)[copied] + counts(strip)[child]), amount(counts(strip)[fresh]), amount(counts(strip)[gone]), amount(counts(strip)[written]), strip.title || '(anonymous)'];
	$('#print').replaceChildren(el('h2', {}, 'Over time'), copyOf($('#timeline'), 'timeline'),
		...map.pictures(1100, PICTURES).map(({ canvas, strip, cell }) => el('figure', {}, el('figcaption', {}, `${strip.title || 'anonymous'} ${hex(strip.start)}, ${pages(strip.size)}, a cell is ${cell}`), canvas)),
		el('h2', {}, 'Mappings with most pages'),
		el('table', {}, el('thead', {}, el('tr', {}, ['Start', 'Size', 'Perm', 'Copied', 'New', 'Gone', 'Written', 'Mapping'].map(name => el('th', {}, name)))), el('tbody', {}, rows.map(strip => el('tr', {}, cells(strip).map(text => el('td', {}, text)))))));
}
export function clearPrint() { $('#print').replaceChildren(); }
