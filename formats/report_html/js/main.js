// The page: what is looked at, and who draws it.
import { $, cutText, el, readColors, say, setPageSize } from './ui.js';
import { Model } from './model.js';
import { Frames } from './frames.js';
import { Contents } from './contents.js';
import { Counted } from './blocks.js';
import { classify } from './classes.js';
import { makeStrips, stripAt } from './strips.js';
import { PageMap } from './map.js';
import { Timeline } from './timeline.js';
import { Mappings } from './mappings.js';
import { Changes } from './changes.js';
import { Code } from './code.js';
import { Forks } from './forks.js';
import { Status } from './status.js';
import { Inspector } from './inspector.js';
import { Headline } from './headline.js';
import { Search } from './search.js';
import { clearPrint, fillPrint } from './print.js';
import { listenToKeys } from './keys.js';

export const TABS = [['map', 'Map'], ['mappings', 'Mappings'], ['changes', 'Changes'], ['forks', 'Copy-on-write'], ['status', 'Status'], ['code', 'By code']];

const LABEL_MAX = 60; // of what an instant is called in a sentence

class Page {
	constructor(model, { frames, contents }) {
		this.model = model;
		// From the first fork on, if there is one.
		const at = model.places.map((places, k) => places.has(0) ? k : -1).filter(k => k >= 0), fork = model.forks.find(one => one.process === 0);
		this.view = {
			process: 0, a: fork && fork.base < at[at.length - 1] ? fork.base : at[0], b: at[at.length - 1], mode: at.length > 1 ? 'diff' : 'b', only: -1, selected: null, key: 0, fork: null,
			nameOf: k => model.instants[k].label ? `“${cutText(model.instants[k].label, LABEL_MAX)}”` : `#${k + 1}`,
			loadFrames: () => this.frames ??= Frames.load(model, frames),
			loadContents: () => this.contents ??= Contents.load(model, contents),
		};
		this.tab = 'map';
		this.stale = new Set();
		this.restore();
		this.theme(document.documentElement.dataset.theme ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'));
		this.build();
		this.listen();
		this.update();
		this.map.drawNow();
	}
	build() {
		const { model, view } = this, pick = (selected, enter) => this.pick(selected, enter);
		this.map = new PageMap(model, view, pick);
		this.timeline = new Timeline(model, view, what => this.change(what));
		this.mappings = new Mappings(model, view, this.map, pick);
		this.changes = new Changes(model, view, pick);
		this.forks = new Forks(model, view, pick, fork => this.change({ process: fork.process, fork }));
		this.status = new Status(model, view);
		// undefined: it is drawn when somebody looks; null: to the map as it is.
		this.code = new Code(model, view, page => {
			this.map.draw();
			if (page === undefined) return;
			this.select('map');
			if (page !== null) this.map.show(page);
		});
		this.inspector = new Inspector(model, view, strip => this.showStrip(strip));
		this.headline = new Headline(model, view, c => this.only(c));
		this.search = new Search(model, view, { jump: (page, end) => this.jump(page, end), change: what => this.change(what), showStrip: strip => this.showStrip(strip) });
		$('#tabs').append(...TABS.map(([id, name]) => el('button', { id: `tab-${id}`, role: 'tab', type: 'button', 'aria-controls': id, onclick: () => this.select(id) }, name, el('small'))));
		$('#tab-code').hidden = !model.code;
		$('#time').hidden = model.instants.length < 2;
		$('#mode [data-mode=cow]').hidden = !model.forks.length;
	}

	// ---- what is looked at
	change(what) {
		const { view, model } = this, last = model.instants.length - 1;
		if (what.process !== undefined && what.process !== view.process) this.chooseProcess(what.process);
		const clamp = k => Math.max(0, Math.min(last, k));
		if (what.a !== undefined) view.a = clamp(what.a);
		if (what.b !== undefined) view.b = clamp(what.b);
		if (what.a !== undefined && view.a > view.b) view.b = view.a;
		if (what.b !== undefined && view.b < view.a) view.a = view.b;
		if (what.fork !== undefined) view.fork = what.fork;
		if (what.mode) view.mode = what.mode;
		this.update();
	}
	chooseProcess(number) {
		const { view, model } = this, process = model.processes[number];
		view.process = number;
		view.selected = view.fork = null;
		view.a = Math.max(view.a, process.first);
		view.b = Math.min(view.b, process.last);
		if (view.a > view.b) view.a = process.first, view.b = process.last;
	}
	// The instants of a process at which it is there, nearest to A and B.
	settle() {
		const { view } = this, track = this.model.track(view.process, 'states'), there = k => track.present[k];
		const near = (k, step) => {
			while (k >= 0 && k < track.present.length && !there(k)) k += step;
			return there(k) ? k : -1;
		};
		view.a = near(view.a, 1) >= 0 ? near(view.a, 1) : near(view.a, -1);
		view.b = near(view.b, -1) >= 0 ? near(view.b, -1) : near(view.b, 1);
		view.track = track;
		if (view.mode !== 'cow') return;
		const fork = this.forks?.fork() ?? this.model.forks[0];
		if (!fork) return void (view.mode = 'diff');
		if (!fork.present[view.b]) view.b = fork.present.lastIndexOf(true);
		view.track = fork;
	}
	update() {
		const { view } = this;
		this.settle();
		view.classes = classify(this.model, view);
		view.counted = new Counted(view.classes, this.model.classes.length);
		view.strips = makeStrips(this.model, view);
		view.lit = [];
		view.key++;
		if (view.selected) this.reselect();
		document.documentElement.dataset.show = view.mode === 'a' || view.mode === 'b' ? 'state' : 'events';
		readColors(this.model.classes);
		for (const button of $('#mode').children) button.setAttribute('aria-pressed', String(button.dataset.mode === view.mode));
		this.map.update(view.strips);
		this.redraw();
		this.remember();
	}
	reselect() {
		const { selected, strips } = this.view, strip = stripAt(strips, selected.page ?? selected.strip.start);
		this.view.selected = strip ? { ...selected, strip } : null;
	}
	redraw() {
		this.headline.draw();
		this.timeline.draw();
		this.inspector.draw();
		this.stale = new Set(TABS.map(([id]) => id));
		this.showTab();
	}
	only(c) {
		this.view.only = c;
		this.headline.draw();
		this.map.only(c);
		this.stale.add('changes');
		this.showTab();
	}
	pick(selected, enter) {
		this.view.selected = selected;
		this.inspector.draw();
		this.map.draw();
		if (enter && selected) {
			this.select('map');
			this.map.show(selected.page ?? selected.strip.start);
		}
		this.remember();
	}
	jump(page, end) {
		const strip = stripAt(this.view.strips, page);
		if (!strip) return say('not mapped at B');
		this.select('map');
		this.map.show(page);
		this.pick({ strip, page, end: Math.min(strip.end, end) });
		$('#scroll').focus({ preventScroll: true });
	}
	showStrip(strip) {
		this.select('map');
		this.map.show(strip.start);
		this.pick({ strip });
	}
	letGo() {
		this.view.selected = null;
		this.inspector.draw();
		this.only(-1);
	}
	step(direction) {
		this.select('map');
		$('#scroll').focus({ preventScroll: true });
		this.map.change(direction);
	}

	// ---- tabs
	select(id) {
		this.tab = id;
		this.showTab();
		this.remember();
	}
	showTab() {
		for (const [id] of TABS) {
			const button = $(`#tab-${id}`), on = id === this.tab;
			$(`#${id}`).classList.toggle('on', on);
			button.setAttribute('aria-selected', String(on));
			button.tabIndex = on ? 0 : -1;
		}
		if (this.tab === 'map') this.map.draw();
		else if (this.stale.delete(this.tab)) this.drawTab();
	}
	drawTab() {
		if (this.tab === 'changes') $('#tab-changes small').textContent = this.changes.draw(this.view.only).toLocaleString('en-US');
		else this[this.tab].draw();
	}

	// ---- around it
	theme(name) {
		document.documentElement.dataset.theme = name;
		readColors(this.model.classes);
	}
	toggleTheme() {
		this.theme(document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark');
		this.map.mini.forget();
		this.map.draw();
		this.redraw();
	}
	remember() {
		const { view } = this, parts = [`p=${view.process}`, `a=${view.a}`, `b=${view.b}`, `m=${view.mode}`, `v=${this.tab}`];
		if (view.selected) parts.push(`at=${(view.selected.page ?? view.selected.strip.start).toString(16)}`);
		try {
			history.replaceState(null, '', `#${parts.join('&')}`);
		} catch {
			// A page that is shown within another may not.
		}
	}
	restore() {
		const { view, model } = this, words = new URLSearchParams(location.hash.slice(1)), whole = (key, most) => {
			const value = Number(words.get(key) ?? NaN);
			return Number.isInteger(value) && value >= 0 && value <= most ? value : null;
		};
		view.process = whole('p', model.processes.length - 1) ?? view.process;
		view.a = whole('a', model.instants.length - 1) ?? view.a;
		view.b = Math.max(view.a, whole('b', model.instants.length - 1) ?? view.b);
		if (['a', 'b', 'diff', 'cow'].includes(words.get('m'))) view.mode = words.get('m');
		if (TABS.some(([id]) => id === words.get('v'))) this.tab = words.get('v');
	}
	listen() {
		$('#mode').addEventListener('click', event => {
			const button = event.target.closest('button');
			if (button) this.change({ mode: button.dataset.mode });
		});
		$('#tabs').addEventListener('keydown', event => {
			const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key], now = TABS.findIndex(([id]) => id === this.tab);
			if (!step) return;
			const [next] = TABS[(now + step + TABS.length) % TABS.length];
			this.select(next);
			$(`#tab-${next}`).focus();
		});
		$('#theme').addEventListener('click', () => this.toggleTheme());
		listenToKeys(this, TABS);
		new ResizeObserver(() => {
			this.map.draw();
			this.redraw();
		}).observe($('#left'));
		matchMedia('(prefers-color-scheme: dark)').addEventListener('change', event => {
			this.theme(event.matches ? 'light' : 'dark');
			this.toggleTheme();
		});
		let shown = null;
		addEventListener('beforeprint', () => {
			shown = document.documentElement.dataset.theme;
			this.theme('light');
			this.headline.draw();
			this.timeline.draw();
			fillPrint(this.model, this.view, this.map);
		});
		addEventListener('afterprint', () => {
			clearPrint();
			this.theme(shown ?? 'light');
			this.redraw();
		});
	}
}

async function start() {
	const text = id => document.getElementById(id).textContent;
	try {
		const began = performance.now(), model = await Model.load({ head: text('head'), values: text('values') });
		setPageSize(model.pageSize);
		const page = new Page(model, { frames: text('frames'), contents: text('contents') });
		window.vmsnapPage = page;
		page.took = performance.now() - began;
		page.ready = performance.now();
		document.documentElement.dataset.ready = '1';
	} catch (error) {
		$('#summary h1').textContent = `This page cannot be shown: ${error.message}`;
		document.documentElement.dataset.ready = 'damaged';
	}
}
start();
