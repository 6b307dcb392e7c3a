// Two fingers.

const apart = ([a, b]) => Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);

// fn(ratio, x, y): they are so many times as far apart as when it last returned true, or when they came down; around
// where that is.
export function listenToPinch(element, fn) {
	let before = 0;
	const started = event => { before = event.touches.length === 2 ? apart(event.touches) : 0; };
	element.addEventListener('touchstart', started, { passive: true });
	element.addEventListener('touchend', started);
	element.addEventListener('touchcancel', started);
	element.addEventListener('touchmove', event => {
		if (!before || event.touches.length !== 2) return;
		if (event.cancelable) event.preventDefault();
		const now = apart(event.touches), [a, b] = event.touches, box = element.getBoundingClientRect();
		if (fn(now / before, (a.clientX + b.clientX) / 2 - box.left, (a.clientY + b.clientY) / 2 - box.top)) before = now;
	}, { passive: false });
}
