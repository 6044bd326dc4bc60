// The built book in a real browser, from its files: no server, no network.
//
// SITE is the folder of the built book (default: target/book), CHROMIUM the browser.

import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {readdirSync, readFileSync} from 'node:fs';
import {dirname, join, relative, resolve} from 'node:path';
import {after, before, describe, test} from 'node:test';
import {fileURLToPath, pathToFileURL} from 'node:url';

import axe from 'axe-core';
import {chromium} from 'playwright-core';

const HERE = dirname(fileURLToPath(import.meta.url));
const SITE = resolve(process.env.SITE ?? join(HERE, '../../../target/book'));
const DESKTOP = {width: 1280, height: 900};
const PHONE = {width: 390, height: 844};
const LANGUAGES = ['en', 'zh-CN'];
// A missing page and the frame of a browser without scripts are no pages that anybody opens.
const NO_PAGES = ['404.html', 'toc.html'];

function pages() {
    const all = readdirSync(SITE, {recursive: true}).map(String).sort();
    const isPage = name => name.endsWith('.html')
        && LANGUAGES.some(language => name.startsWith(`${language}/`))
        && !NO_PAGES.some(no => name.endsWith(no));
    // One of the files that listings lead to stands for all.
    return [...all.filter(isPage), 'source/lessons/02-tcp-echo/src/server.rs.html'];
}

const address = page => pathToFileURL(join(SITE, page)).href;

let browser;
before(async () => {
    browser = await chromium.launch({
        executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
        args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking',
            '--disable-component-update', '--disable-sync', '--no-first-run'],
    });
});
after(() => browser?.close());

// A tab that notes what nobody wants to see.
async function blank({viewport = DESKTOP, theme = 'light', ...more} = {}) {
    const context = await browser.newContext({viewport, ...more});
    await context.addInitScript(`
        try { localStorage.setItem('mdbook-theme', '${theme}'); } catch { }
        window.print = () => { window.wasPrinted = true; };
    `);
    const tab = await context.newPage();
    tab.setDefaultTimeout(20_000);
    const troubles = [];
    tab.on('console', message => {
        if (message.type() === 'error') {
            troubles.push(`console: ${message.text()}`);
        }
    });
    tab.on('pageerror', error => troubles.push(`error: ${error}`));
    tab.on('request', request => {
        if (!/^(file|data|blob):/.test(request.url())) {
            troubles.push(`request: ${request.url()}`);
        }
    });
    tab.on('requestfailed', request => {
        // What was still on its way when we went on to the next page is no failure.
        if (request.failure()?.errorText !== 'net::ERR_ABORTED') {
            troubles.push(`failed: ${request.url()}`);
        }
    });
    return {tab, troubles, close: () => context.close()};
}

async function open(page, options) {
    const opened = await blank(options);
    await opened.tab.goto(address(page), {waitUntil: 'load'});
    return opened;
}

// What axe-core calls serious; with `rules` only by these.
async function violations(tab, rules) {
    await tab.evaluate(axe.source);
    const {violations} = await tab.evaluate(runOnly => window.axe.run(document, {
        preload: false, resultTypes: ['violations'], ...runOnly && {runOnly},
    }), rules);
    const serious = violations.filter(({impact}) => ['serious', 'critical'].includes(impact));
    return serious.map(({id, impact, nodes}) => {
        const where = nodes.slice(0, 3).map(node => node.html.slice(0, 120));
        return `axe-core: ${id} (${impact}), ${nodes.length} times: ${where.join(' | ')}`;
    });
}

// Every page: no error, no foreign request, nothing that scrolls sideways, and on a desktop nothing
// that axe-core calls serious. (What it looks at does not change with the width.)
describe('every page is in order', {concurrency: true}, () => {
    for (const [name, viewport, theme] of [
        ['on a desktop, light', DESKTOP, 'light'],
        ['on a desktop, dark', DESKTOP, 'navy'],
        ['on a phone, light', PHONE, 'light'],
        ['on a phone, dark', PHONE, 'navy'],
    ]) {
        test(name, async () => {
            const {tab, troubles, close} = await blank({viewport, theme});
            const wrong = [];
            for (const page of pages()) {
                await tab.goto(address(page), {waitUntil: 'load'});
                const beyond = await tab.evaluate(
                    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
                );
                if (beyond > 0) {
                    troubles.push(`scrolls sideways by ${beyond} pixels`);
                }
                // The print page is all the others once more.
                if (viewport === DESKTOP && !page.endsWith('print.html')) {
                    // Of all its rules these alone look at colours, which is all that a theme changes.
                    const rules = theme === 'light' ? null : ['color-contrast', 'link-in-text-block'];
                    troubles.push(...await violations(tab, rules));
                }
                wrong.push(...troubles.splice(0).map(trouble => `${page}: ${trouble}`));
            }
            await close();
            assert.deepEqual(wrong, []);
        });
    }
});

test('the switch leads to the same page in the other language, and back', async () => {
    const {tab, close} = await open('en/02-tcp-echo.html');
    await tab.click('a.language');
    assert.equal(tab.url(), address('zh-CN/02-tcp-echo.html'));
    assert.equal(await tab.getAttribute('html', 'lang'), 'zh-CN');
    await tab.click('a.language');
    assert.equal(tab.url(), address('en/02-tcp-echo.html'));
    await close();
});

// The chapters that a search finds, the best first.
async function found(language, phrase, {fromAddress = false} = {}) {
    const query = fromAddress ? `?search=${encodeURIComponent(phrase)}` : '';
    const {tab, troubles, close} = await open(`${language}/index.html`);
    if (fromAddress) {
        await tab.goto(address(`${language}/index.html`) + query);
    } else {
        await tab.click('#mdbook-search-toggle');
        await tab.fill('#mdbook-searchbar', phrase);
        await tab.press('#mdbook-searchbar', 'End');
    }
    await tab.waitForFunction(
        () => document.querySelector('#mdbook-searchresults-header').textContent !== '',
    );
    const links = await tab.$$eval('#mdbook-searchresults a', all => all.map(a => a.href));
    const header = await tab.textContent('#mdbook-searchresults-header');
    const teasers = await tab.$$eval('#mdbook-searchresults .teaser', all => all.map(t => t.textContent));
    assert.deepEqual(troubles, []);
    await close();
    const chapters = links.map(link => relative(SITE, fileURLToPath(link.split(/[?#]/)[0])));
    return {chapters, header, teasers};
}

describe('search', () => {
    test('finds English words', async () => {
        const {chapters} = await found('en', 'half-closes');
        assert.ok(chapters.some(chapter => /02-tcp-echo|03-tcp-upload/.test(chapter)), `${chapters}`);
    });

    for (const [phrase, chapter] of JSON.parse(readFileSync(join(HERE, 'phrases.json'), 'utf8'))) {
        for (const fromAddress of [false, true]) {
            const how = fromAddress ? 'in the address' : 'typed';
            test(`finds ${phrase}, ${how}`, async () => {
                const {chapters, header, teasers} = await found('zh-CN', phrase, {fromAddress});
                if (chapter === null) {
                    assert.deepEqual(chapters, []);
                    assert.match(header, /没有找到/);
                } else {
                    assert.ok(chapters.slice(0, 5).some(it => it.includes(chapter)), `${chapters}`);
                    assert.ok(teasers.every(teaser => teaser.length < 300), `${teasers}`);
                }
            });
        }
    }
});

describe('a question', () => {
    const page = 'en/02-tcp-echo.html';

    test('is answered by keyboard', async () => {
        const {tab, close} = await open(page);
        const quiz = tab.locator('fieldset.quiz').first();
        const inputs = quiz.locator('input');
        const right = await inputs.evaluateAll(all => all.findIndex(it => 'right' in it.dataset));
        const wrong = right === 0 ? 1 : 0;
        assert.equal(await quiz.locator('details').getAttribute('open'), null);
        const choose = async number => {
            await inputs.first().focus();
            await tab.keyboard.press('Space');
            for (let step = 0; step < number; step += 1) {
                await tab.keyboard.press('ArrowDown');
            }
            await tab.keyboard.press('Tab');
            await tab.keyboard.press('Enter');
        };
        await choose(wrong);
        assert.equal(await quiz.locator('[role=status]').textContent(),
            await quiz.getAttribute('data-no'));
        await choose(right);
        assert.equal(await quiz.locator('[role=status]').textContent(),
            await quiz.getAttribute('data-yes'));
        assert.notEqual(await quiz.locator('details').getAttribute('open'), null);
        await close();
    });

    test('shows its answer without JavaScript', async () => {
        const {tab, close} = await open(page, {javaScriptEnabled: false});
        const quiz = tab.locator('fieldset.quiz').first();
        assert.equal(await quiz.locator('button').isVisible(), false);
        await quiz.locator('summary').click();
        assert.equal(await quiz.locator('details p').first().isVisible(), true);
        await close();
    });
});

describe('the address explorer', () => {
    const QUESTIONS = ['192.168.1.77/26', '127.200.3.4', '10.0.0.0/8', '256.1.1.1', '2001:DB8:0:0::1',
        'fe80::/10', '你好'];

    let answers;
    before(() => {
        const root = join(HERE, '../../..');
        // These two packages together, as `xtask ci` tests them: then it has been built already.
        const packages = ['--package', 'coursebook', '--package', 'explorer'];
        execFileSync('cargo', ['build', '--quiet', ...packages, '--example', 'explain'], {cwd: root});
        const explain = join(resolve(root, process.env.CARGO_TARGET_DIR ?? 'target'), 'debug/examples/explain');
        const native = execFileSync(explain, {input: `${QUESTIONS.join('\n')}\n`, encoding: 'utf8'});
        answers = native.trimEnd().split('\n\n');
    });

    for (const language of LANGUAGES) {
        test(`says what the native code says: ${language}`, async () => {
            const {tab, troubles, close} = await open(`${language}/explorer.html`);
            await tab.waitForSelector('form.explorer .answer tr');
            for (const [index, question] of QUESTIONS.entries()) {
                await tab.fill('#explorer-question', question);
                await tab.press('#explorer-question', 'Enter');
                const shown = await tab.$$eval('form.explorer .answer tr', rows =>
                    rows.map(row => `${row.dataset.key}\t${row.querySelector('td').textContent}`));
                assert.deepEqual(shown, answers[index].split('\n'));
                const names = await tab.$$eval('form.explorer .answer th', all =>
                    all.map(head => head.textContent));
                assert.ok(!names.includes('null'), `${names}`);
            }
            assert.deepEqual(troubles, []);
            await close();
        });
    }

    test('is a table without JavaScript', async () => {
        const {tab, close} = await open('en/explorer.html', {javaScriptEnabled: false});
        assert.equal(await tab.locator('form.explorer').isVisible(), false);
        assert.match(await tab.textContent('noscript table'), /127\.0\.0\.1.*loopback/s);
        await close();
    });
});

test('a listing leads to its lines', async () => {
    const {tab, close} = await open('zh-CN/02-tcp-echo.html');
    const caption = tab.locator('main a[href*="/source/"]').first();
    const line = (await caption.getAttribute('href')).split('#')[1];
    await caption.click();
    const code = await tab.locator(`#${line}`).evaluate(it => it.textContent.replace(/^\d+/, ''));
    await tab.goBack();
    const listing = await tab.locator('pre code.language-rust').first().innerText();
    assert.equal(listing.split('\n')[0].trim(), code.trim());
    await close();
});

test('a listing can be copied', async () => {
    const {tab, close} = await open('zh-CN/02-tcp-echo.html');
    const block = tab.locator('pre:has(code.language-rust)').first();
    await block.hover();
    await block.locator('button.clip-button').click();
    await tab.click('#mdbook-search-toggle');
    await tab.focus('#mdbook-searchbar');
    await tab.keyboard.press('Control+V');
    const pasted = await tab.inputValue('#mdbook-searchbar');
    const code = await block.locator('code').innerText();
    assert.equal(pasted.replace(/\s/g, ''), code.replace(/\s/g, ''));
    await close();
});

for (const language of LANGUAGES) {
    test(`the print page has every chapter: ${language}`, async () => {
        const {tab, troubles, close} = await open(`${language}/print.html`);
        await tab.waitForFunction(() => window.wasPrinted);
        const chapters = pages().filter(page => page.startsWith(`${language}/`)
            && !/(index|print)\.html$/.test(page));
        const headings = await tab.$$eval('main h1', all => all.length);
        assert.ok(headings >= chapters.length, `${headings} headings, ${chapters.length} chapters`);
        await tab.emulateMedia({media: 'print'});
        const hidden = await tab.$$eval('fieldset.quiz details p', all =>
            all.filter(it => it.getClientRects().length === 0).length);
        assert.equal(hidden, 0, 'answers that are not printed');
        assert.deepEqual(troubles, []);
        await close();
    });
}
