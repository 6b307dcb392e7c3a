// One sentence: what happened from A to B, the largest first, of one denominator; a bar; and a legend with totals that
// filters.
import { $, clock, duration, el, number, pages, paper, percent, swatch } from './ui.js';
import { doubtWords, lostAt, lostWords, movedFrom, movedSince, sharesOf, whenLost, whenWords } from './shares.js';
import { countIn, wordsOf } from './classes.js';
import { countsOf } from './strips.js';

const FORKS_SHOWN = 3;

export class Headline {
	constructor(model, view, only) { Object.assign(this, { model, view, only }); }

	total() {
		const sum = new Float64Array(this.model.classes.length);
		for (const strip of this.view.strips) countsOf(this.model, this.view, strip).forEach((count, c) => { sum[c] += count; });
		return sum;
	}
	draw() {
		const counts = this.view.counts = this.total(), { view, model } = this, shown = model.classes.map((_, c) => c).filter(c => c && counts[c]).sort((a, b) => this.order(a) - this.order(b));
		this.left = this.noLongerShared();
		$('#summary h1').replaceChildren(...this.sentence(counts));
		$('#bar').replaceChildren(...shown.map(c => el('i', { style: { flex: String(counts[c]), background: paper(c) } })));
		$('#bar').setAttribute('aria-label', shown.map(c => `${this.words(c)} ${pages(counts[c])}`).join(', '));
		$('#legend').replaceChildren(...shown.map(c => el('button', { class: `chip${view.only >= 0 && view.only !== c ? ' off' : ''}`, type: 'button', 'aria-pressed': String(view.only === c), title: 'Only these', onclick: () => this.only(view.only === c ? -1 : c) },
			swatch(c, model.classes[c].letter), el('b', {}, pages(counts[c])), el('span', {}, this.words(c)))));
		this.who();
	}
	order(c) {
		const { copied, child, written, new: fresh, gone, swapped_out: out, other, shared } = this.model.class;
		const place = [copied, child, written, fresh, gone, out, other, shared].indexOf(c);
		return place < 0 ? 20 + c : place;
	}
	words(c) {
		const { model, view } = this;
		if (view.mode === 'diff' && c === model.class.private) return this.privateWords();
		if (view.mode !== 'cow' || c !== model.class.copied) return wordsOf(model, view, c);
		const { copied, copied_by_parent: parent, copied_by_both: both } = this.lostBy(view.track);
		return copied && !parent && !both ? 'copied, not known by whom' : `copied by parent${copied ? ', or not known by whom' : ''}`;
	}
	// What was shared at A and is not any more, in the same frame: others copied it, or let it go.
	noLongerShared() {
		const { model, view } = this, { track } = view, { private: own, shared } = model.class, { quiet } = model.rules;
		if (view.mode !== 'diff' || !view.counts[own] || !track.present[view.a]) return 0;
		const before = track.valuesAt(view.a);
		let left = 0;
		for (let i = 0; i < before.length; i++) left += view.classes[i] === own && quiet[before[i]] === shared;
		return left;
	}
	privateWords() {
		const { model, view, left } = this, own = model.class.private, words = wordsOf(model, view, own);
		return !left ? words : left === view.counts[own] ? 'no longer shared, not copied' : `${words}, ${pages(left)} of it no longer shared`;
	}
	sentence(counts) {
		const { view, model } = this, { gone, swapped, swapped_out: out, unread, dumped, dump_hole: hole } = model.class, absent = [0, gone, swapped, out, unread, hole];
		const resident = counts.reduce((sum, count, c) => absent.includes(c) ? sum : sum + count, 0);
		if (view.mode === 'cow') return this.cowSentence(counts);
		if (view.mode === 'diff') return this.diffSentence(counts, resident);
		const mapped = view.strips.reduce((sum, strip) => sum + strip.size, 0), parts = view.strips.reduce((sum, strip) => sum + strip.vmas.length, 0);
		const more = [[swapped, 'in swap'], [unread, 'unread'], [hole, 'of holes']].filter(([c]) => counts[c]).map(([c, words]) => `${pages(counts[c])} ${words}, `).join('');
		return [`${pages(resident)} ${counts[dumped] ? 'in the core file' : 'resident'} at ${view.nameOf(view.mode === 'a' ? view.a : view.b)}`, this.small(`${more}in ${number(parts)} mappings of ${pages(mapped)}`)];
	}
	small(text) { return el('small', {}, text); }
	// As a diff says it: in what may be written to, and of other memory (program text) what was copied nevertheless.
	// Empty: not known.
	ofShared(copied, from) {
		const { view, model } = this, { vmas, shared } = model.processes[view.process], told = shared.get(view.a);
		if (!told) return '';
		const elsewhere = new Float64Array(model.classes.length);
		for (const vma of vmas) if (vma.first <= view.a && view.a <= vma.last && vma.perms[1] !== 'w') countIn(view, elsewhere, vma.start, vma.end);
		const all = told.pages + elsewhere[model.class.copied];
		if (!all || copied > all) return '';
		return ` of the ${pages(all)}${told.more ? ' or more' : ''} writable and shared at ${from}${told.more ? '' : ` (${percent(copied / all)})`}`;
	}
	diffSentence(counts, resident) {
		const { view, model } = this, { copied, new: fresh, gone, swapped_out: out, written, other } = model.class;
		const rest = [[written, 'written'], [fresh, 'new'], [gone, 'gone'], [out, 'swapped out'], [other, 'changed otherwise']].filter(([c]) => counts[c]).sort(([a], [b]) => counts[b] - counts[a]);
		const words = rest.map(([c, word]) => `${pages(counts[c])} ${word}`).join(', '), touched = this.touchedWords(), most = rest.length ? counts[rest[0][0]] : 0;
		const from = view.nameOf(view.a), to = view.nameOf(view.b);
		if (counts[copied] && most < 10 * counts[copied]) {
			const of = this.ofShared(counts[copied], from);
			return [el('em', {}, `${pages(counts[copied])} copied`), ` by ${model.processes[view.process].title}`, of ? `${of} until ${to}` : ` from ${from} to ${to}`, this.small([this.began(), ...this.forkWords(), words, this.beforeA(counts[copied]), touched, this.moved()].filter(Boolean).join('; '))];
		}
		const others = this.copiedByOthers(), { title } = model.processes[view.process];
		if (others > most) return [el('em', {}, `${pages(others)} copied`), ` by ${this.others()} of ${title}, from ${from} to ${to}`, this.small([this.began(), ...this.forkWords(), words, touched, this.movedOfForks()].filter(Boolean).join('; '))];
		if (!words && !counts[copied]) return [`Nothing that shows changed from ${from} to ${to}`, this.small(`${pages(resident)} ${this.model.known.states ? 'resident' : 'in the core file'}`)];
		return [`${words}${counts[copied] ? `, ${pages(counts[copied])} copied` : ''}, from ${from} to ${to}`, this.small([`${pages(resident)} ${this.model.known.states ? 'resident' : 'in the core file'}`, touched, counts[copied] ? this.moved() : ''].filter(Boolean).join('; '))];
	}
	// As the command line has it: they are among the others.
	touchedWords() {
		const count = this.view.touched?.reduce((sum, one) => sum + one, 0);
		return count ? `touched by gdb: ${number(count)} of these pages` : '';
	}
	// Pages that a fork does not share any more, by who copied them.
	lostBy(fork) {
		const counts = fork.own[this.view.b], { verdicts } = this.model;
		return Object.fromEntries(['copied_by_parent', 'copied_by_child', 'copied_by_both', 'copied'].map(name => [name, counts?.[verdicts.findIndex(verdict => verdict.name === name) + 1] ?? 0]));
	}
	whoCopied(fork) {
		const { copied_by_parent: parent, copied_by_child: child, copied_by_both: both, copied: either } = this.lostBy(fork), told = count => count ? pages(count) : either ? 'none seen' : 'nothing';
		return `${told(parent)} by the parent, ${told(child)} by the child${both ? `, ${pages(both)} by both` : ''}${either ? `, ${pages(either)} by one of the two` : ''}`;
	}
	cowSentence(counts) {
		const { view, model } = this, fork = view.track, same = counts[model.class.shared], shares = sharesOf(model, fork, view.b), words = lostWords(shares), doubt = doubtWords(model, fork, view.b, shares);
		const title = `${model.processes[fork.process].title} and its child ${model.processes[fork.child].pid}`;
		if (!words) return [same ? `Nothing is copied yet: ${title} share ${pages(same)}` : `${title} share nothing that could be copied`, doubt ? this.small(doubt) : ''];
		const since = `${title}, from ${view.nameOf(fork.base)} to ${view.nameOf(view.b)}`;
		return [el('em', {}, words), shares.lost ? `: ${this.whoCopied(fork)}` : '', this.small([this.whenLost(fork), since, doubt].filter(Boolean).join('; '))];
	}
	moved() { return movedFrom(this.model, this.view.process, this.view.a, this.view.b); }
	movedOfForks() {
		const { model, view } = this;
		return [...new Set(this.forksAtA().map(fork => movedSince(model, fork, view.b, { either: 1 })))].filter(Boolean).join('; ');
	}
	// Beside the day that the page is of, and those that are compared.
	clock(ms, from) {
		const { model, view } = this, { instants } = model;
		return clock(ms, ...[model.began, instants[from].taken, instants[view.b].taken].filter(Boolean));
	}
	// When it was forked, and when most of it was copied.
	whenLost(fork) {
		const { view, model } = this, { instants } = model, before = instants[fork.base].ms - model.processes[fork.child].started;
		const told = before >= 0 && instants[fork.base].taken ? `forked ${this.clock(instants[fork.base].taken - before, fork.base)} UTC` : '';
		return [told, whenWords(whenLost(model, fork, view.b))].filter(Boolean).join('; ');
	}
	// Of what happened since A; of several forks, that of none stands for all.
	began() {
		const forks = this.forksAtA();
		return forks.length === 1 ? this.whenLost(forks[0]) : this.firstCopied();
	}
	// Forks of it that were first seen at A.
	forksAtA() {
		const { view, model } = this;
		return model.forksOf(view.process).filter(fork => fork.base === view.a && fork.present[view.b] && fork.base !== view.b);
	}
	others() {
		const forks = this.forksAtA(), own = forks.filter(fork => fork.process === this.view.process).length, children = own > 1 ? 'the children' : 'the child';
		return own === forks.length ? children : own ? `the parent and ${children}` : 'the parent';
	}
	// What its children copied, or its parent: pages.
	copiedByOthers() {
		return this.forksAtA().reduce((sum, fork) => sum + this.lostBy(fork)[fork.process === this.view.process ? 'copied_by_child' : 'copied_by_parent'], 0);
	}
	forkWords() {
		return this.forksAtA().slice(0, FORKS_SHOWN).flatMap(fork => {
			const { copied_by_parent: parent, copied_by_child: child, copied_by_both: both, copied: either } = this.lostBy(fork), own = fork.process === this.view.process;
			const other = own ? child : parent, name = own ? `child ${this.model.processes[fork.child].pid}` : `parent ${this.model.processes[fork.process].pid}`;
			return [`its ${name} copied ${other ? pages(other) : either ? 'nothing that is known' : 'nothing'}`, both ? `${pages(both)} copied by both` : '', either ? `${pages(either)} copied by one of the two, not known which` : ''];
		});
	}
	// What of the forks' sharing was lost when A was taken: a comparison with A cannot show it.
	beforeA(counted) {
		const { view, model } = this, by = this.forksAtA().reduce((sum, fork) => sum + lostAt(model, fork, fork.base), 0);
		return by ? `${pages(by)} had been copied between the fork and ${view.nameOf(view.a)}, too early to be among these ${pages(counted)}` : '';
	}
	// When it was first seen, between A and B.
	firstCopied() {
		const { view, model } = this, { events } = view.track;
		for (let k = view.a + 1; k < view.b; k++) if (events[k][model.class.copied]) return `first seen at ${duration(model.instants[k].ms)} (${view.nameOf(k)}), ${duration(model.instants[k].ms - model.instants[view.a].ms)} after A`;
		return '';
	}
	who() {
		const { model, view } = this, process = model.processes[view.process], count = model.instants.length, last = model.instants[count - 1].ms;
		$('#who').replaceChildren(el('b', {}, process.title), `, ${number(count)} ${count === 1 ? 'instant' : `instants in ${duration(last)}`}${model.began ? `, ${new Date(model.began).toISOString().slice(0, 16).replace('T', ' ')} UTC` : ''}${model.host ? `, ${model.host}` : ''}`);
		document.title = `${process.title}, vmsnap`;
	}
}
