// The address explorer: asks netbasics, compiled to WebAssembly (crates/explorer), and shows what it says.
(async () => {
    'use strict';
    const form = document.querySelector('form.explorer');
    if (!form || !window.WebAssembly) {
        return;
    }
    const bytes = Uint8Array.from(atob(window.explorerModule), letter => letter.charCodeAt(0));
    const {instance} = await WebAssembly.instantiate(bytes);
    const {explorer_put: put, explorer_ask: ask, explorer_get: get} = instance.exports;

    function explain(question) {
        const text = new TextEncoder().encode(question);
        text.forEach((byte, index) => put(index, byte));
        const answer = Uint8Array.from({length: ask(text.length)}, (_, index) => get(index));
        return new TextDecoder().decode(answer).trimEnd().split('\n').map(line => line.split('\t'));
    }

    const question = form.querySelector('input');
    const answer = form.querySelector('.answer');
    function show() {
        const table = document.createElement('table');
        let last;
        for (const [key, value] of explain(question.value)) {
            const row = table.insertRow();
            const head = document.createElement('th');
            head.scope = 'row';
            head.textContent = key === last ? '' : answer.getAttribute(`data-${key}`);
            row.append(head);
            const cell = row.insertCell();
            const code = document.createElement('code');
            code.textContent = value;
            cell.append(code);
            row.dataset.key = key;
            last = key;
        }
        answer.replaceChildren(table);
    }

    form.hidden = false;
    form.addEventListener('submit', event => {
        event.preventDefault();
        show();
    });
    question.addEventListener('input', show);
    show();
})();
