{{%AUTOESCAPE context="HTML"}}<article class="observation" id="{{ANCHOR}}" aria-labelledby="{{ANCHOR}}-h">
<h3 id="{{ANCHOR}}-h"><span class="mono">{{ID}}</span> {{PROBE}}{{#ENDPOINT}} on <span class="mono">{{TEXT}}</span>{{/ENDPOINT}}</h3>
<p class="small">Sample {{SAMPLE}}, {{ADDRESS}}, from {{VANTAGE}}, state {{STATE}}. {{BEGAN}}, took {{TOOK}}. Ended: {{COMPLETION}}.{{#EVENT}} Journal event {{TEXT}}.{{/EVENT}}</p>
{{#ERROR}}<p class="missing">{{TEXT}}</p>{{/ERROR}}
{{#PARAMETERS}}<p class="small">Asked with <span class="mono">{{TEXT}}</span></p>{{/PARAMETERS}}
{{#FACTS}}
<div class="scroll">
<table class="seen">
<caption>Facts of {{ID}}</caption>
<thead><tr><th scope="col">Fact</th><th scope="col">Value</th><th scope="col">Shown by</th></tr></thead>
<tbody>
{{#FACT}}<tr><th scope="row" class="mono">{{KEY}}</th><td>{{#LINE}}<div>{{TEXT}}</div>{{/LINE}}{{#NONE}}<em>{{TEXT}}</em>{{/NONE}}</td><td>{{#FILE}}<div><a class="mono" href="{{FOLDER}}/{{SHA}}" title="{{SHA}}">{{SHORT}}</a></div>{{/FILE}}</td></tr>
{{/FACT}}</tbody>
</table>
</div>
{{/FACTS}}
{{#ABSENT}}<p class="valueless"><em>Looked for and absent:</em> <span class="mono">{{TEXT}}</span></p>{{/ABSENT}}
{{#UNOBSERVED}}<p class="valueless"><em>Not observed, {{REASON}}:</em> <span class="mono">{{KEYS}}</span></p>
{{/UNOBSERVED}}
{{#COVERAGE}}
<div class="scroll">
<table class="seen">
<caption>Coverage of {{ID}}</caption>
<thead><tr><th scope="col">Of</th><th scope="col">How far it was looked</th></tr></thead>
<tbody>
{{#ROW}}<tr><th scope="row" class="mono">{{KEY}}</th><td>{{#LINE}}<div>{{TEXT}}</div>{{/LINE}}</td></tr>
{{/ROW}}</tbody>
</table>
</div>
{{/COVERAGE}}
{{#PACKETS}}<p class="small">Packets: {{#FILE}}<a class="mono" href="{{FOLDER}}/{{SHA}}" title="{{SHA}}">{{SHORT}}</a>, {{/FILE}}{{WORDS}}.</p>
{{#EXCHANGES}}<details><summary>Frames of each conversation of {{ID}}</summary>
<div class="scroll">
<table class="seen">
<caption>Conversations of {{ID}}, by the number of their frames in the file</caption>
<thead><tr><th scope="col">Endpoint</th><th scope="col">Our port</th><th scope="col">First frame</th><th scope="col">Last frame</th><th scope="col">Frames</th></tr></thead>
<tbody>
{{#EXCHANGE}}<tr><th scope="row" class="mono">{{ENDPOINT}}</th><td>{{LOCAL_PORT}}</td><td>{{FIRST}}</td><td>{{LAST}}</td><td>{{FRAMES}}</td></tr>
{{/EXCHANGE}}</tbody>
</table>
</div>
{{#UNLISTED}}<p class="small">And {{TEXT}} more.</p>{{/UNLISTED}}</details>
{{/EXCHANGES}}{{/PACKETS}}
{{#FILES}}
<ul class="files">
{{#FILE}}<li><a class="mono" href="{{FOLDER}}/{{SHA}}">{{SHA}}</a> <span class="small">{{NAME}}, {{MEDIA_TYPE}}, {{SIZE}} bytes{{#NOTE}}, {{TEXT}}{{/NOTE}}</span>
{{#INLINE}}<details><summary>Show {{NAME}}</summary><pre>{{TEXT}}</pre></details>{{/INLINE}}</li>
{{/FILE}}</ul>
{{/FILES}}
</article>
