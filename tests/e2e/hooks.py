#!/usr/bin/env python3
"""hooks: signed webhooks over the socket, and what the orders come to.

A case is a few requests of one provider: each with the time at which it arrives and the
status that it has to get, and what its orders have come to when all are through.  The
cases below are the tree's own; where RPVD_SHARED names a directory with recorded ones
(webhooks/cases/*.json) and their maker, these are run, too: half of the ways with the
recorded ones, the others with ones that are made anew from a seed.  All cases share one
daemon, and those of different providers a site.  The orders must be the same when

    every request is sent twice, and all of them once more at the end,
    they arrive in another order (but for cases that say `second-paid`: the first counts),
    rpvd is killed between any two of them.
"""

import base64
import collections
import concurrent.futures
import glob
import json
import os
import random
import re
import signal
import sys
import time
import urllib.parse

import rig
from rig import RPVCTL, RPVD, Findings, Rig, as_json, rfc3339, run, send, until

SECRETS = {**rig.SECRETS, **rig.MORE_SECRETS}
NOW = 1772445600            # 2026-03-02T10:00:00Z
OLD_SECRET = {
    "stripe": "whsec_theOneBefore", "woocommerce": "the one before", "shopify": "shpss_the_one_before",
    "generic": "whsec_" + base64.b64encode(b"the one before, of 32 bytes, yes").decode(),
}


# ---- the tree's own cases ------------------------------------------------------------

STANDARD = ("generic", "dodo", "polar", "bigcommerce")


def order(paid, refunded="0.00", disputed="0.00", net=None, currency="EUR"):
    return {"currency": currency, "paid": paid, "refunded": refunded, "disputed": disputed, "net": net or paid}


class Case:
    def __init__(self, name, provider, orders, secrets=None, options=""):
        self.name = name
        self.provider = provider
        self.secrets = secrets if secrets is not None else [SECRETS[provider]]
        self.options = options
        self.certificate = None
        self.orders = orders
        self.requests = []

    def post(self, event, status=200, secret=None, signed_at=0, tamper=None, event_id=None, method="POST", signed=True,
             more=()):
        """One request; signed_at: how far the signed time is from the receiver's."""
        now = NOW + 10 * len(self.requests)
        body = event if isinstance(event, bytes) else as_json(event)
        args = [secret or (self.secrets or [""])[0], body, now + signed_at]
        if self.provider in STANDARD:
            args.append(event_id or f"msg_{len(self.requests)}")
        headers = rig.SIGNERS[self.provider](*args) if signed and self.provider in rig.SIGNERS else []
        self.requests.append({"method": method, "headers": [("Content-Type", "application/json")] + headers + list(more),
                              "body": tamper(body) if tamper else body, "received": now, "status": status})
        return self


def generic(kind, time_, **fields):
    return {"time": rfc3339(NOW + time_), "type": "order." + kind, **fields}


def g_paid(oid, total, currency="EUR", **more):
    return generic("paid", -60, order={"id": oid, "total": total, "currency": currency, **more})


def g_refund(rid, oid, amount, currency="EUR", **more):
    return generic("refunded", -30, refund={"id": rid, "order_id": oid, "amount": amount, "currency": currency, **more})


def g_dispute(kind, did, oid, amount, currency="EUR"):
    return generic(kind, -20, dispute={"id": did, "order_id": oid, "amount": amount, "currency": currency})


def generic_cases():
    def case(name, **orders):
        return Case("generic-" + name, "generic", orders)

    yield (case("paid", o1=order("45.20")).post(g_paid("o1", "45.20"))
           .post(g_paid("o2", "9.99"), 401, tamper=lambda b: b.replace(b"9.99", b"99.9"))
           .post(g_paid("o3", "9.99"), 401, secret=OLD_SECRET["generic"]).post(g_paid("o4", "1"), 401, signed=False))
    yield (case("time", o1=order("1.00"), o2=order("2.00")).post(g_paid("o1", "1"), signed_at=-300)
           .post(g_paid("o2", "2"), signed_at=300).post(g_paid("o3", "3"), 401, signed_at=-301).post(g_paid("o4", "4"), 401, signed_at=301))
    yield Case("generic-rotated", "generic", {"o1": order("1.00"), "o2": order("2.00")}, [SECRETS["generic"], OLD_SECRET["generic"]]).post(
        g_paid("o1", "1"), secret=OLD_SECRET["generic"]).post(g_paid("o2", "2"))
    yield (case("refunds", o1=order("80.00", "30.00", net="50.00")).post(g_refund("r1", "o1", "20.00")).post(g_paid("o1", "80"))
           .post(g_refund("r2", "o1", "10")).post(g_refund("r1", "o1", "20.00")))
    yield (case("refund-total", o1=order("80.00", "30.00", net="50.00")).post(g_paid("o1", "80"))
           .post(g_refund("c1", "o1", "30", cumulative=True)).post(g_refund("c2", "o1", "10", cumulative=True)))
    yield case("refunded-too-much", o1=order("10.00", "12.00", net="0.00")).post(g_paid("o1", "10")).post(g_refund("r1", "o1", "12"))
    yield (case("disputes", o1=order("50.00", "0.00", "0.00"), o2=order("50.00", "0.00", "50.00", "0.00"))
           .post(g_dispute("dispute_won", "d1", "o1", "50")).post(g_paid("o1", "50")).post(g_dispute("disputed", "d1", "o1", "50"))
           .post(g_paid("o2", "50")).post(g_dispute("disputed", "d2", "o2", "50")))
    yield (case("aliases", o1=order("20.00", "5.00", net="15.00"), o2=order("30.00", "6.00", net="24.00"))
           .post(g_refund("r1", "pi_1", "5")).post(g_paid("o1", "20", aliases=["pi_1"]))
           .post(g_paid("o2", "30")).post(g_refund("r2", "pi_2", "6")).post(generic("alias", 0, alias={"order_id": "o2", "alias": "pi_2"})))
    yield (case("currencies", o1=order("1500", "0", "0", "1500", "JPY"), o2=order("1.234", "0.234", "0.000", "1.000", "KWD"),
                o3=order("0.12")).post(g_paid("o1", "1500.00", "jpy")).post(g_paid("o2", "1.2340", "KWD"))
           .post(g_refund("r2", "o2", "0.234", "KWD")).post(g_paid("o3", "0.125")))
    yield case("other-currency", o1=order("10.00")).post(g_paid("o1", "10")).post(g_refund("r1", "o1", "3", "USD"))
    yield case("nothing", o1=order("7.00")).post(g_paid("o0", "0")).post(generic("shipped", 0)).post(g_paid("o1", "7"))
    yield case("second-paid", o1=order("10.00")).post(g_paid("o1", "10")).post(g_paid("o1", "12"))
    yield (case("broken", o1=order("1.00")).post(b'{"id":', 400).post(b"", 400).post(g_paid("o2", "x"), 400)
           .post(b'{"type":"order.paid","type":"order.paid"}', 400).post(g_paid("o3", "5"), 405, method="GET").post(g_paid("o1", "1")))


def stripe_event(kind, obj, eid, live=True):
    return {"id": eid, "object": "event", "type": kind, "created": NOW - 60, "livemode": live, "data": {"object": obj}}


def session(sid, cents, currency="eur", status="paid", intent=None, invoice=None, kind="completed", **more):
    return stripe_event("checkout.session." + kind, {
        "id": sid, "object": "checkout.session", "payment_status": status, "currency": currency, "amount_total": cents,
        "payment_intent": intent, "invoice": invoice, "metadata": {"rpv": "visitor"}}, "evt_" + sid + kind, **more)


def s_refund(rid, intent, cents, currency="eur", status="succeeded", kind="refund.created"):
    return stripe_event(kind, {"id": rid, "object": "refund", "status": status, "amount": cents, "currency": currency,
                               "payment_intent": intent}, "evt_" + rid + kind + status)


def s_dispute(kind, did, intent, cents, status):
    return stripe_event("charge.dispute." + kind, {"id": did, "object": "dispute", "status": status, "amount": cents,
                                                   "currency": "eur", "payment_intent": intent}, "evt_" + did + kind)


def invoice(iid, cents, reason):
    return stripe_event("invoice.paid", {"id": iid, "object": "invoice", "billing_reason": reason, "amount_paid": cents,
                                         "currency": "eur", "total_taxes": []}, "evt_" + iid)


def stripe_cases():
    def case(name, **orders):
        return Case("stripe-" + name, "stripe", orders)

    yield (case("paid", pi_1=order("45.20")).post(session("cs_1", 4520, intent="pi_1"))
           .post(stripe_event("payment_intent.succeeded", {"id": "pi_1", "amount_received": 4520, "currency": "eur"}, "evt_pi"))
           .post(stripe_event("charge.succeeded", {"id": "ch_1", "amount": 4520}, "evt_ch"))
           .post(session("cs_2", 990, intent="pi_2"), 401, signed_at=-301).post(session("cs_3", 990, intent="pi_3"), 401, signed=False)
           .post(session("cs_4", 990, intent="pi_4"), 401, tamper=lambda b: b.replace(b"990", b"999"))
           .post(session("cs_5", 990, intent="pi_5", live=False)))
    yield (case("debit", pi_1=order("30.00")).post(session("cs_1", 3000, intent="pi_1", status="unpaid"))
           .post(session("cs_1", 3000, intent="pi_1", kind="async_payment_succeeded"))
           .post(session("cs_0", 0, intent=None, status="no_payment_required")))
    yield (case("refunds", pi_1=order("80.00", "30.00", net="50.00")).post(s_refund("re_1", "pi_1", 2000))
           .post(session("cs_1", 8000, intent="pi_1")).post(s_refund("re_2", "pi_1", 1000, status="pending"))
           .post(s_refund("re_2", "pi_1", 1000, kind="refund.updated")).post(s_refund("re_3", "pi_1", 500, status="failed")))
    yield (case("disputes", pi_1=order("80.00"), pi_2=order("20.00", "0.00", "20.00", "0.00"), pi_3=order("9.00"))
           .post(session("cs_1", 8000, intent="pi_1")).post(s_dispute("created", "dp_1", "pi_1", 8000, "needs_response"))
           .post(s_dispute("closed", "dp_1", "pi_1", 8000, "won")).post(session("cs_2", 2000, intent="pi_2"))
           .post(s_dispute("created", "dp_2", "pi_2", 2000, "needs_response")).post(s_dispute("closed", "dp_2", "pi_2", 2000, "lost"))
           .post(session("cs_3", 900, intent="pi_3")).post(s_dispute("created", "dp_3", "pi_3", 900, "warning_needs_response")))
    yield (case("subscription", in_1=order("12.00", "2.00", net="10.00"), in_2=order("12.00"))
           .post(session("cs_1", 1200, invoice="in_1")).post(invoice("in_1", 1200, "subscription_create")).post(s_refund("re_1", "pi_1", 200))
           .post(stripe_event("invoice_payment.paid", {"id": "inpay_1", "invoice": "in_1", "payment": {"payment_intent": "pi_1"}}, "evt_ip"))
           .post(invoice("in_2", 1200, "subscription_cycle")).post(invoice("in_3", 500, "manual")))
    yield (case("currencies", pi_1=order("1500", "0", "0", "1500", "JPY"), pi_2=order("500", "0", "0", "500", "ISK"),
                pi_3=order("1.230", "0.000", "0.000", "1.230", "KWD"))
           .post(session("cs_1", 1500, "jpy", intent="pi_1")).post(session("cs_2", 50000, "isk", intent="pi_2"))
           .post(session("cs_3", 1230, "kwd", intent="pi_3")))


def woo(oid, total, paid=True, refunds=(), currency="EUR", **more):
    return {"id": oid, "status": "processing", "currency": currency, "total": total, "total_tax": "0", "shipping_total": "0",
            "date_paid_gmt": rfc3339(NOW - 60, "") if paid else None, "date_modified_gmt": rfc3339(NOW - 30, ""), "customer_id": 5,
            "order_key": f"wc_order_{oid}", "meta_data": [], "refunds": [{"id": r, "total": t} for r, t in refunds], **more}


def woocommerce_cases():
    def case(name, orders):
        return Case("woocommerce-" + name, "woocommerce", orders)

    yield (case("paid", {"77": order("30.00")}).post(b"webhook_id=5", signed=False).post(woo(77, "30", paid=False)).post(woo(77, "30.0000"))
           .post(woo(78, "1"), 401, signed=False).post(woo(79, "1"), 401, secret="wrong").post(woo(80, "0.00")).post({"id": 9}))
    yield (case("refunds", {"77": order("30.00", "12.50", net="17.50")}).post(woo(77, "30.00"))
           .post(woo(77, "30.00", refunds=[(1, "-10.00")])).post(woo(77, "30.00", refunds=[(1, "-10.00"), (2, "-2.50")])))
    # WooCommerce makes it of the hook's number and the second: two orders in one second share it.
    same = [("X-WC-Webhook-Delivery-ID", "5ac6f1bd1f2a"), ("X-WC-Webhook-Topic", "order.created")]
    yield (case("one-delivery-id", {"91": order("10.00"), "92": order("20.00")}).post(woo(91, "10.00"), more=same)
           .post(woo(92, "20.00"), more=same))
    yield case("all-at-once", {"78": order("1500", "500", "0", "1000", "JPY")}).post(woo(78, "1500", refunds=[(3, "-500")], currency="JPY"))


def shop_order(oid, total, status="paid", refunds=(), currency="EUR", **more):
    return {"id": oid, "financial_status": status, "test": False, "total_price": total, "currency": currency, "total_tax": "0.00",
            "processed_at": rfc3339(NOW - 60), "customer": {"id": 1}, "note_attributes": [], "shipping_lines": [], "refunds": list(refunds), **more}


def shop_refund(rid, oid, amount, currency="EUR", status="success"):
    return {"id": rid, "order_id": oid, "processed_at": rfc3339(NOW - 30), "refund_line_items": [],
            "transactions": [{"kind": "refund", "status": status, "amount": amount, "currency": currency, "test": False}]}


def shopify_cases():
    def case(name, orders):
        return Case("shopify-" + name, "shopify", orders)

    yield (case("paid", {"1": order("12.34")}).post(shop_order(1, "12.34", "pending")).post(shop_order(1, "12.34"))
           .post(shop_order(2, "5.00", test=True)).post(shop_order(3, "5.00"), 401, secret="wrong").post(shop_order(4, "5.00"), 401, signed=False)
           .post({"id": 5, "email": "a@example.com"}))
    yield (case("refunds", {"1": order("80.00", "25.00", net="55.00")}).post(shop_refund(9, 1, "20.00")).post(shop_order(1, "80.00"))
           .post(shop_order(1, "80.00", "partially_refunded", [shop_refund(9, 1, "20.00")])).post(shop_refund(10, 1, "5.00"))
           .post(shop_refund(11, 1, "7.00", status="pending")))
    dispute = {"id": 4, "order_id": 1, "type": "chargeback", "amount": "8.00", "currency": "EUR", "status": "needs_response",
               "initiated_at": rfc3339(NOW - 20), "evidence_due_by": None}
    yield case("disputes", {"1": order("8.00")}).post(shop_order(1, "8.00")).post(dispute).post({**dispute, "status": "won"})


def one_flow(provider, oid, bodies, options="", final=None, secrets=None):
    """A purchase of 45.20 of which 5.20 go back, told before it; what is not wanted; a forged one."""
    case = Case(provider + "-flow", provider, {oid: final or order("45.20", "5.20", net="40.00")}, secrets, options)
    paid, refund, *others = bodies
    case.post(refund).post(paid)
    for other in others:
        case.post(other)
    return case.post(paid, 401, tamper=lambda b: b.replace(b"45", b"99").replace(b"4520", b"9920"))


def paddle_event(kind, n, **data):
    return {"event_id": f"evt_{n}", "event_type": kind, "occurred_at": rfc3339(NOW - 50), "data": data}


def paddle_cases():
    yield one_flow("paddle", "txn_1", [
        paddle_event("transaction.completed", 1, id="txn_1", origin="web", currency_code="EUR", billed_at=rfc3339(NOW - 60),
                     customer_id="ctm_1", custom_data=None, details={"totals": {"grand_total": "4520", "tax": "722"}}),
        paddle_event("adjustment.updated", 2, id="adj_1", action="refund", status="approved", transaction_id="txn_1", currency_code="EUR",
                     totals={"total": "520"}),
        paddle_event("transaction.paid", 3, id="txn_1", currency_code="EUR", details={"totals": {"grand_total": "4520"}}),
        paddle_event("adjustment.created", 4, id="adj_2", action="refund", status="pending_approval", transaction_id="txn_1")])


def lemon(name, kind, ident, **attributes):
    return {"meta": {"event_name": name, "custom_data": {"rpv": "v"}}, "data": {"type": kind, "id": ident, "attributes": {
        "currency": "EUR", "total": 4520, "tax": 722, "status": "paid", "test_mode": False, "customer_id": 1,
        "created_at": rfc3339(NOW - 60), "updated_at": rfc3339(NOW - 30), **attributes}}}


def lemonsqueezy_cases():
    yield one_flow("lemonsqueezy", "7", [
        lemon("order_created", "orders", "7"), lemon("order_refunded", "orders", "7", refunded_amount=520),
        lemon("subscription_payment_success", "subscription-invoices", "7", billing_reason="initial"),
        lemon("order_created", "orders", "8", test_mode=True)])


def square_event(kind, n, name, **obj):
    return {"type": kind, "event_id": f"e{n}", "created_at": rfc3339(NOW - 50), "data": {"object": {name: obj}}}


def square_cases():
    def euros(cents):
        return {"amount": cents, "currency": "EUR"}
    yield one_flow("square", "pay1", [
        square_event("payment.updated", 1, "payment", id="pay1", status="COMPLETED", created_at=rfc3339(NOW - 60), total_money=euros(4520),
                     order_id="ord1"),
        square_event("refund.updated", 2, "refund", id="ref1", status="COMPLETED", payment_id="pay1", order_id="ord9", amount_money=euros(520)),
        square_event("payment.created", 3, "payment", id="pay1", status="APPROVED"),
        square_event("invoice.payment_made", 4, "invoice", id="inv1")], f'notification_url = "{rig.NOTIFICATION_URL}"')


def polar_event(kind, **data):
    return {"type": kind, "timestamp": rfc3339(NOW - 60), "data": {"currency": "eur", **data}}


def polar_cases():
    yield one_flow("polar", "o-1", [
        polar_event("order.paid", id="o-1", total_amount=4520, tax_amount=722, billing_reason="purchase", metadata={"rpv": "v"}),
        polar_event("refund.created", id="r-1", order_id="o-1", status="succeeded", amount=437, tax_amount=83),
        polar_event("order.refunded", id="o-1", total_amount=4520, refunded_amount=520)])


def dodo_event(kind, **data):
    return {"type": kind, "timestamp": rfc3339(NOW - 60), "data": {"currency": "EUR", **data}}


def dodo_cases():
    yield one_flow("dodo", "pay_1", [
        dodo_event("payment.succeeded", payment_id="pay_1", total_amount=4520, tax=722, customer={"email": "A@b.example"}),
        dodo_event("refund.succeeded", refund_id="ref_1", payment_id="pay_1", amount=520),
        dodo_event("dispute.opened", dispute_id="d1", payment_id="pay_1", amount="4520"),
        dodo_event("dispute.won", dispute_id="d1", payment_id="pay_1", amount="4520"),
        dodo_event("subscription.renewed", subscription_id="sub_1")])


def razorpay_event(kind, **entities):
    return {"event": kind, "created_at": NOW - 60, "payload": {k: {"entity": v} for k, v in entities.items()}}


def razorpay_cases():
    pay = {"id": "pay_1", "amount": 4520, "currency": "EUR", "order_id": "order_1", "captured": True, "notes": []}
    yield one_flow("razorpay", "pay_1", [
        razorpay_event("payment.captured", payment=pay),
        razorpay_event("refund.processed", payment=pay, refund={"id": "rf_1", "amount": 520, "currency": "EUR", "payment_id": "pay_1"}),
        razorpay_event("order.paid", payment=pay, order={"id": "order_1", "receipt": "r"}), razorpay_event("payment.authorized", payment=pay)])


def paystack_event(kind, **data):
    return {"event": kind, "data": {"domain": "live", "currency": "EUR", **data}}


def paystack_cases():
    yield one_flow("paystack", "ref_1", [
        paystack_event("charge.success", reference="ref_1", amount=4520, paid_at=rfc3339(NOW - 60), metadata="", customer={"customer_code": "C"}),
        paystack_event("refund.processed", transaction_reference="ref_1", refund_reference="rf_1", amount="520"),
        paystack_event("transfer.success", amount=99)])


def creem_event(kind, n, **obj):
    return {"id": f"evt_{n}", "eventType": kind, "created_at": (NOW - 60) * 1000, "object": {"mode": "prod", **obj}}


def creem_cases():
    shop = {"id": "ord_1", "amount": 3798, "tax_amount": 722, "amount_paid": 4520, "currency": "EUR", "transaction": "tran_1"}
    yield one_flow("creem", "tran_1", [
        creem_event("checkout.completed", 1, id="ch_1", request_id="r", order=shop, customer={"id": "cust_1"}),
        creem_event("refund.created", 2, id="ref_1", status="succeeded", refund_amount=520, refund_currency="EUR", transaction={"id": "tran_1"}),
        creem_event("subscription.paid", 3, id="sub_1", last_transaction_id="tran_1", created_at=rfc3339(NOW - 60),
                    current_period_start_date=rfc3339(NOW - 67), product={"price": 3798, "currency": "EUR"})])


def bigcommerce_cases():
    status = {"scope": "store/order/statusUpdated", "data": {"type": "order", "id": 7, "status": {"new_status_id": 11}}}
    yield (Case("bigcommerce-thin", "bigcommerce", {}).post(status).post(status, 401, tamper=lambda b: b.replace(b"11", b"10"))
           .post({"scope": "store/product/updated", "data": {}}))


def adyen(code, psp, cents, original="", success="true", key="44782DEF"):
    signed = [psp, original, "Shop", "order-1", str(cents), "EUR", code, success]
    signature = base64.b64encode(rig.mac(bytes.fromhex(key), ":".join(signed).encode()).digest()).decode()
    return {"live": "true", "notificationItems": [{"NotificationRequestItem": {
        "pspReference": psp, "originalReference": original, "merchantAccountCode": "Shop", "merchantReference": "order-1",
        "amount": {"value": cents, "currency": "EUR"}, "eventCode": code, "success": success, "eventDate": rfc3339(NOW - 60),
        "additionalData": {"hmacSignature": signature}}}]}


def adyen_cases():
    yield one_flow("adyen", "P1", [adyen("AUTHORISATION", "P1", 4520), adyen("REFUND", "R1", 520, "P1"), adyen("CAPTURE", "C1", 4520, "P1"),
                                   adyen("AUTHORISATION", "P2", 99, success="false")], secrets=["44782def"])
    yield (Case("adyen-captures", "adyen", {"P1": order("45.20")}, ["44782DEF"], "count = capture").post(adyen("AUTHORISATION", "P1", 4520))
           .post(adyen("CAPTURE", "C1", 4520, "P1")))


def gumroad_cases():
    def ping(**fields):
        return urllib.parse.urlencode({"seller_id": "seller==", "sale_id": "s1", "price": 4520, "sale_timestamp": rfc3339(NOW - 60),
                                       "email": "A@b.example", "url_params[rpv]": "v", **fields}).encode()
    yield (Case("gumroad-flow", "gumroad", {"s1": order("45.20", "45.20", net="0.00", currency="USD")}, [], 'seller_id = "seller=="')
           .post(ping(resource_name="refund", refunded="true")).post(ping()).post(ping(resource_name="refund", refunded="false"))
           .post(ping(resource_name="cancellation")).post(ping(seller_id="other=="), 401).post(b"", 401).post(b"%ff=%00&seller_id=seller==", 401))


def own_cases():
    return [case for cases in (
        generic_cases, stripe_cases, woocommerce_cases, shopify_cases, paddle_cases, lemonsqueezy_cases, square_cases, polar_cases,
        dodo_cases, razorpay_cases, paystack_cases, creem_cases, bigcommerce_cases, adyen_cases, gumroad_cases) for case in cases()]


# ---- recorded cases --------------------------------------------------------------------

def options_of(config):
    return "".join(f' {name} = "{config[name]}"' for name in ("notification_url", "seller_id", "webhook_id") if name in config)


def cases_in(directory):
    cases = []
    for path in sorted(glob.glob(directory + "/*.json")):
        with open(path, encoding="utf-8") as f:
            d = json.load(f)
        config = d["config"]
        case = Case("recorded-" + d["case"], d["provider"], d["orders"], config.get("secrets", []), options_of(config))
        case.certificate = next(iter(config.get("certificates", {}).values()), None)
        for q in d["requests"]:
            assert q["path"] == config["path"], path
            case.requests.append({"method": q["method"], "headers": q["headers"], "body": base64.b64decode(q["body"]),
                                  "received": q["received"], "status": q["expect"]["status"]})
        cases.append(case)
    return cases


def recorded_cases(r, seed):
    """The recorded ones; for a seed those that their maker makes of it."""
    shared = os.environ.get("RPVD_SHARED")
    if not shared:
        print("RPVD_SHARED is not set: the recorded cases are left out")
        return []
    if seed is None:
        return cases_in(shared + "/webhooks/cases")
    code, _, err = run([sys.executable, "-B", shared + "/webhooks/make_cases.py", r.path("cases"), "--seed", str(seed)])
    assert code == 0, err
    return cases_in(r.path("cases"))


# ---- running them -----------------------------------------------------------------------

class Daemon:
    """One rpvd, with a clock in a file and a Redis of its own.  Order ids are a provider's own, so cases
    of different providers share a site."""

    def __init__(self, rig_, name, cases):
        self.rig = rig_
        self.name = name
        self.cases = cases
        self.hook = rig_.path(name + ".hook")
        self.redis = rig_.redis(name)
        self.clock = rig_.write(name + ".clock", str(NOW * 1000))
        rig_.write("none.ndjson", "")
        seen = collections.Counter()
        sites = collections.defaultdict(str)
        for i, case in enumerate(cases):
            case.site = seen[case.provider]
            seen[case.provider] += 1
            sites[case.site] += self.provider(i, case)
        self.n_sites = len(sites)
        text = f"redis {{ url = 'unix:{self.redis.sock}' }}\nwebhook {{ listen = 'unix:{self.hook}' }}\nstate_dir = '{rig_.path(name)}'\n"
        for n, endpoints in sites.items():
            text += f"site \"s{n}\" {{ currency = \"EUR\" orders '{rig_.path('none.ndjson')}' {{}}\n{endpoints} }}\n"
        self.conf = rig_.write(name + ".conf", text)
        self.kills = 0
        self.start()

    def provider(self, i, case):
        options = case.options
        if case.secrets:
            options += f" secret_file = '{self.rig.write(f'secrets/{i}', chr(10).join(case.secrets) + chr(10), 0o600)}'"
        if case.certificate:
            options += f" certificate_file = '{self.rig.write(f'certificates/{i}', case.certificate)}'"
        return f"provider \"{case.provider}\" {{ path = \"{self.path(i)}\" {options} }}\n"

    def path(self, i):
        """Long enough for one that stands for a secret."""
        return f"/hooks/{i}-which-is-hard-to-guess"

    def start(self):
        self.process = self.rig.rpvd(self.conf, "--clock", self.clock, log=self.name + ".log")
        if until(lambda: rig.hook_up(self.hook) or self.process.poll() is not None, 20) is None or self.process.poll() is not None:
            raise RuntimeError("rpvd did not start: " + self.rig.read(self.name + ".log"))

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.kills += 1
        self.start()

    def post(self, case_no, request):
        # Not in place: an empty file is no time.
        with open(self.clock + ".new", "w", encoding="ascii") as f:
            f.write(str(request["received"] * 1000))
        with open(self.clock, "r+", encoding="ascii") as f:
            f.write(str(request["received"] * 1000))
        body = b"" if request["method"] == "GET" else request["body"]
        return send(self.hook, request["method"], self.path(case_no), request["headers"], body)

    def orders(self, site):
        """By provider and id."""
        code, out, err = run([RPVCTL, "-u", "unix:" + self.redis.sock, "-s", f"s{site}", "--json", "orders", "--all"])
        if code == 4 or not out:
            return {}
        found = collections.defaultdict(dict)
        for o in json.loads(out)["orders"]:
            if o["time"] is not None:       # else only refunds of it are known
                found[o["provider"]][o["id"]] = {k: o[k] for k in ("currency", "paid", "refunded", "disputed", "net")}
        return found

    def settled(self):
        """Whether every site has committed all of the journal."""
        last = set()
        for i in range(self.n_sites):
            status = self.redis("HMGET", f"rpv:s{i}:status", "journal_last", "journal_depth")
            if status[1] != "0":
                return False
            last.add(status[0])
        return len(last) == 1

    def compare(self, findings):
        time.sleep(1.1)                     # a status that is older than the last request
        if until(self.settled, 30, 0.2) is None:
            findings.fail(f"{self.name}: not all is committed: {self.rig.read(self.name + '.log')[-2000:]}")
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            got = list(pool.map(self.orders, range(self.n_sites)))
        for case in self.cases:
            findings.equal(got[case.site].get(case.provider, {}), case.orders, f"{self.name}: {case.name}: orders")
        findings.equal(self.process.poll(), None, f"{self.name}: rpvd ended")
        self.process.terminate()
        self.process.wait()


def is_ahead(q):
    """Signed in the future: a daemon whose clock has gone back believes that the clock is wrong, and takes it."""
    for name, value in q["headers"]:
        forms = {"webhook-timestamp": r"(\d+)", "stripe-signature": r"t=(\d+)", "paddle-signature": r"ts=(\d+)"}
        found = re.match(forms.get(name.lower(), "(?!)"), value)
        signed = found.group(1) if found else ""
        if signed.isdigit() and int(signed) - q["received"] > 300:
            return True
    return False


def without_ahead(cases):
    """For ways in which the clock goes back."""
    for case in cases:
        case.requests = [q for q in case.requests if not is_ahead(q)]
    return cases


def in_time(requests):
    """By the time of arrival: the clock goes forward."""
    return sorted(requests, key=lambda pair: pair[1]["received"])


def everything(cases):
    return [(i, q) for i, case in enumerate(cases) for q in case.requests]


def check_status(findings, daemon, i, q):
    got = daemon.post(i, q)
    findings.equal(got, q["status"], f"{daemon.name}: {daemon.cases[i].name}: request {daemon.cases[i].requests.index(q) + 1}: status")


def as_given(findings, r, cases, _seed):
    d = Daemon(r, "as-given", cases)
    for i, q in in_time(everything(cases)):
        check_status(findings, d, i, q)
    d.compare(findings)


def repeated(findings, r, cases, _seed):
    d = Daemon(r, "repeated", cases)        # the clock goes back in the last part
    for i, q in in_time(everything(cases)):
        check_status(findings, d, i, q)
        check_status(findings, d, i, q)
    for i, q in everything(without_ahead(cases)):   # the clock jumps about
        check_status(findings, d, i, q)
    d.compare(findings)


def shuffled(findings, r, cases, seed):
    cases = [case for case in without_ahead(cases) if "second-paid" not in case.name]
    d = Daemon(r, "shuffled", cases)
    requests = everything(cases)
    random.Random(seed).shuffle(requests)
    for i, q in requests:
        check_status(findings, d, i, q)
    d.compare(findings)


def killed(findings, r, cases, _seed):
    """The first requests of all cases, a kill, the second ones, ... and kills in between."""
    d = Daemon(r, "killed", without_ahead(cases))
    for round_ in range(max(len(case.requests) for case in cases)):
        if round_ > 0:
            time.sleep(0.4 * (round_ % 2))      # before the commit, and after it
            d.kill()
        posted = 0
        for i, case in enumerate(cases):
            if round_ < len(case.requests):
                check_status(findings, d, i, case.requests[round_])
                posted += 1
                if posted % 40 == 0:
                    d.kill()
    d.kill()
    d.compare(findings)
    print(f"killed {d.kills} times")


def main():
    rig.need("redis-server")
    if not os.access(RPVCTL, os.X_OK):
        print(f"{RPVCTL} is not built")
        sys.exit(77)
    findings = Findings()
    seed = int(os.environ.get("RPVD_SEED", time.time()))
    print(f"RPVD_SEED={seed}, {RPVD}")
    for n, way in enumerate((as_given, repeated, shuffled, killed)):
        start, before = time.monotonic(), findings.checks
        with Rig("hooks") as r:
            fresh = seed if (n + seed) % 2 else None
            cases = own_cases() + recorded_cases(r, fresh)
            way(findings, r, cases, seed)
        print(f"{way.__name__}: {len(cases)} cases, {'recorded' if fresh is None else 'of the seed'}: {findings.checks - before} checks, "
              f"{time.monotonic() - start:.1f} s", flush=True)
    findings.end()


if __name__ == "__main__":
    sys.exit(main())
