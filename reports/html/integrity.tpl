{{%AUTOESCAPE context="HTML"}}<section id="integrity" aria-labelledby="h-integrity">
<h2 id="h-integrity">7 <span class="h">Integrity</span></h2>
<dl class="list wide">
<dt>Journal digest</dt><dd class="mono digest">{{CHAIN_HEAD}}</dd>
<dt>Journal</dt><dd>{{EVENTS}} events, {{CLOSED}}</dd>
<dt>Check</dt><dd><code>assay verify</code> recomputes the chain, <code>assay replay</code> the verdicts, <code>sha256sum -c SHA256SUMS</code> the files, each in the bundle's folder.</dd>
{{#PACKETS}}<dt>Packets of no invocation</dt><dd><a class="mono" href="{{FOLDER}}/{{SHA}}" title="{{SHA}}">{{SHORT}}</a>: checks whether the device is there, what came late, what the device said by itself</dd>
{{/PACKETS}}</dl>
<p class="small">The digest is the sha256 of the journal's last line. Each line names the digest of the line before, so this one digest stands for everything that was recorded. Links to evidence work while this file stays beside the bundle it was made from.</p>
{{#INPUTS}}
<div class="scroll">
<table>
<caption>Files that went into the plan</caption>
<thead><tr><th scope="col">File</th><th scope="col">sha256</th></tr></thead>
<tbody>
{{#INPUT}}<tr><th scope="row">{{PATH}}</th><td class="mono digest">{{SHA}}</td></tr>
{{/INPUT}}</tbody>
</table>
</div>
{{/INPUTS}}
</section>
