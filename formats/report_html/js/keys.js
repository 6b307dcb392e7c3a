// The keyboard, anywhere but in fields.
import { $, el } from './ui.js';

const HELP = [['/', 'search'], ['[  ]', 'move B'], ['{  }', 'move A'], ['space', 'hold to see A'], ['n  p', 'next, previous change'], ['arrows', 'move over cells'], ['+  −', 'zoom; ctrl and wheel too'], ['enter', 'zoom to single pages'], ['0', 'fit all'], ['1 … 6', 'views'], ['c', 'changes, or who copied'], ['t', 'light, dark'], ['esc', 'let go']];

export function listenToKeys(page, tabs) {
	const { view } = page, dialog = $('#keys');
	let held = null;
	const actions = {
		'/': event => {
			event.preventDefault();
			$('#find-input').focus();
			$('#find-input').select();
		},
		']': () => page.change({ b: view.b + 1 }),
		'[': () => page.change({ b: Math.max(view.mode === 'b' ? 0 : view.a, view.b - 1) }),
		'}': () => page.change({ a: Math.min(view.a + 1, view.b) }),
		'{': () => page.change({ a: view.a - 1 }),
		n: () => page.step(1),
		p: () => page.step(-1),
		0: () => page.map.fit(),
		c: () => page.model.forks.length && page.change({ mode: view.mode === 'cow' ? 'diff' : 'cow' }),
		t: () => page.toggleTheme(),
		'?': () => dialog.showModal(),
		Escape: () => page.letGo(),
		'+': event => event.target.id === 'scroll' || page.map.zoom(0.5),
		'=': event => event.target.id === 'scroll' || page.map.zoom(0.5),
		'-': event => event.target.id === 'scroll' || page.map.zoom(2),
		' ': event => {
			if (event.target.tagName === 'BUTTON' || event.target.tagName === 'A') return;
			event.preventDefault();
			if (held !== null) return;
			held = view.mode;
			page.change({ mode: 'a' });
		},
	};
	tabs.forEach(([id], i) => { actions[i + 1] = () => page.select(id); });
	const release = () => {
		if (held !== null) page.change({ mode: held });
		held = null;
	};
	addEventListener('keydown', event => {
		if (event.target.tagName === 'INPUT' || event.ctrlKey || event.metaKey || event.altKey || dialog.open) return;
		if (Object.hasOwn(actions, event.key)) actions[event.key](event);
	});
	addEventListener('keyup', event => event.key === ' ' && release());
	addEventListener('blur', release);
	$('#keys dl').append(...HELP.flatMap(([keys, words]) => [el('dt', {}, keys.split('  ').map(key => [el('kbd', {}, key), ' '])), el('dd', {}, words)]));
	$('#help').addEventListener('click', () => dialog.showModal());
	dialog.addEventListener('click', event => event.target === dialog && dialog.close());
}
