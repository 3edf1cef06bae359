{{%AUTOESCAPE context="HTML"}}<section id="tested" aria-labelledby="h-tested">
<h2 id="h-tested">3 <span class="h">What was tested, and how</span></h2>
<div class="pair">
<div>
<h3>The device</h3>
<dl class="list">
<dt>Vendor</dt><dd>{{VENDOR}}</dd>
<dt>Model</dt><dd>{{MODEL}}</dd>
<dt>Hardware</dt><dd>{{HARDWARE}}</dd>
<dt>Firmware</dt><dd>{{FIRMWARE}}</dd>
<dt>Product class</dt><dd>{{PRODUCT_CLASS}}</dd>
{{#MANAGED}}<dt>Managed by</dt><dd>{{TEXT}}</dd>{{/MANAGED}}
<dt>Declaration</dt><dd>{{DECLARATION}}</dd>
{{#VARIANT}}<dt>Family</dt><dd>{{TEXT}}</dd>
{{/VARIANT}}{{#INHERITED}}<dt>Inherited evidence</dt><dd>{{BASIS}}, for {{CLAUSES}}; {{COUNTS}}. File: {{FILE}} <span class="mono">{{SHA}}</span></dd>
{{/INHERITED}}</dl>
</div>
<div>
<h3>The run</h3>
<dl class="list">
<dt>Plan</dt><dd>{{PLAN_ID}}, {{PLAN_STATE}}</dd>
<dt>Scheme</dt><dd>{{SCHEME}}</dd>
<dt>Scheme document</dt><dd>{{SCHEME_DOCUMENT}}</dd>
<dt>Planned</dt><dd>{{PLANNED}}</dd>
<dt>Began</dt><dd>{{BEGAN}}</dd>
<dt>Ended</dt><dd>{{ENDED}}</dd>
<dt>Pace</dt><dd>{{PACE}}</dd>
<dt>Allowed</dt><dd>{{ALLOW}} probes at most</dd>
</dl>
</div>
</div>
<div class="scroll">
<table>
<caption>Samples and where they were reached</caption>
<thead><tr><th scope="col">Sample</th><th scope="col">Serial</th><th scope="col">MAC</th><th scope="col">Address</th><th scope="col">Vantage</th><th scope="col">State</th></tr></thead>
<tbody>
{{#TARGET}}<tr><th scope="row">{{SAMPLE}}</th><td>{{SERIAL}}</td><td class="mono">{{MAC}}</td><td class="mono">{{ADDRESS}}</td><td>{{VANTAGE}}</td><td>{{STATE}}</td></tr>
{{/TARGET}}</tbody>
</table>
</div>
<div class="scroll">
<table>
<caption>Probes that the plan calls, as they are in this build</caption>
<thead><tr><th scope="col">Probe</th><th scope="col">What it does</th><th scope="col">Facts version</th><th scope="col">Touches the device</th></tr></thead>
<tbody>
{{#PROBE}}<tr><th scope="row" class="mono">{{ID}}</th><td>{{SUMMARY}}</td><td>{{VERSION}}</td><td>{{INTRUSIVENESS}}</td></tr>
{{/PROBE}}</tbody>
</table>
</div>
<div class="scroll">
<table>
<caption>The tool and its host</caption>
<thead><tr><th scope="col">What</th><th scope="col">Value</th></tr></thead>
<tbody>
{{#HOST}}<tr><th scope="row">{{KEY}}</th><td>{{#LINE}}<div>{{TEXT}}</div>{{/LINE}}</td></tr>
{{/HOST}}</tbody>
</table>
</div>
</section>
