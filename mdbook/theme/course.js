// What the course adds to mdBook's own pages. Without this script they can be read all the same.
(() => {
    'use strict';

    // What is wider than its box is scrolled by keyboard, too.
    const reach = () => {
        const boxes = 'main pre > code, main figure.diagram pre, main .table-wrapper';
        for (const box of document.querySelectorAll(boxes)) {
            if (box.scrollWidth > box.clientWidth) {
                box.tabIndex = 0;
            }
        }
    };
    reach();
    window.addEventListener('resize', reach);

    // The label that shows and hides the table of contents is a button to everybody.
    const toggle = document.getElementById('mdbook-sidebar-toggle');
    toggle?.addEventListener('keydown', event => {
        if (event.key === 'Enter' || event.key === ' ') {
            event.preventDefault();
            toggle.click();
        }
    });

    // Questions with choices.
    for (const quiz of document.querySelectorAll('fieldset.quiz')) {
        const line = quiz.querySelector('.check');
        const verdict = line.querySelector('[role=status]');
        const answer = quiz.querySelector('details');
        line.hidden = false;
        line.querySelector('button').addEventListener('click', () => {
            const chosen = quiz.querySelector('input:checked');
            if (!chosen) {
                quiz.querySelector('input').focus();
                return;
            }
            const isRight = chosen.hasAttribute('data-right');
            verdict.textContent = isRight ? quiz.dataset.yes : quiz.dataset.no;
            quiz.classList.toggle('right', isRight);
            quiz.classList.toggle('wrong', !isRight);
            answer.open = answer.open || isRight;
        });
    }
    // On paper nothing can be unfolded.
    window.addEventListener('beforeprint', () => {
        for (const fold of document.querySelectorAll('main details')) {
            fold.open = true;
        }
    });
})();
