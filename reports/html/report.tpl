{{%AUTOESCAPE context="HTML"}}<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>{{TITLE}}</title>
{{>STYLE}}
</head>
<body>
<a class="skip" href="#result">Skip to the result</a>
<header class="front">
<p class="kicker">Evidence report <span class="mono">{{REPORT_ID}}</span></p>
<h1>{{DEVICE}}</h1>
<p class="plan">{{PLAN_TITLE}} <span class="mono">{{PLAN_ID}}</span></p>
{{#REVEALED}}<p class="draft" role="note"><strong>{{TEXT}}</strong><span>The run was told to reveal them: facts, transcripts and packets show them as they are.</span></p>{{/REVEALED}}{{#DRAFT}}<p class="draft" role="note"><strong>DRAFT PLAN, not for submission</strong><span>Nobody has yet recorded that this plan was checked against the scheme's document.</span></p>{{/DRAFT}}
<dl class="facts">
<div><dt>Hardware</dt><dd>{{HARDWARE}}</dd></div>
<div><dt>Firmware</dt><dd>{{FIRMWARE}}</dd></div>
<div><dt>Samples</dt><dd>{{SAMPLES}}</dd></div>
<div><dt>Began</dt><dd>{{BEGAN}}</dd></div>
<div><dt>Ended</dt><dd>{{ENDED}}</dd></div>
<div><dt>Tool</dt><dd>{{TOOL}}</dd></div>
{{#SECRETS}}<div><dt>Secrets</dt><dd>{{TEXT}}</dd></div>
{{/SECRETS}}</dl>
</header>
<main>
{{>RESULT}}
{{>TESTED}}
<section id="requirements" aria-labelledby="h-requirements">
<h2 id="h-requirements">4 <span class="h">Requirements in detail</span></h2>
{{#NO_VERDICTS}}<p>{{TEXT}}</p>{{/NO_VERDICTS}}
{{>REQUIREMENT}}
</section>
{{>LIMITS}}
<section id="observations" aria-labelledby="h-observations">
<h2 id="h-observations">6 <span class="h">Observations</span></h2>
<p>What was seen, without any judgement. “Absent” was looked for and is not there; “not observed” could not be looked at, for the reason given. Names of files are the sha256 of their content.</p>
{{#NO_OBSERVATIONS}}<p>{{TEXT}}</p>{{/NO_OBSERVATIONS}}
{{>OBSERVATION}}
</section>
{{>INTEGRITY}}
</main>
<footer>
<p>The results relate only to the items tested, in the states and from the places named in this report. The report is evidence for the clauses it names; it is no statement that a label or a level has been reached. It may be reproduced in full only.</p>
<p class="end">End of evidence report <span class="mono">{{REPORT_ID}}</span></p>
</footer>
</body>
</html>
