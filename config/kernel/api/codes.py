"""The codes of problems that are not a rule's own: status, and what is wrong, in both languages."""

from __future__ import annotations

from typing import NamedTuple


class Code(NamedTuple):
    """One kind of problem."""

    status: int
    message: str


CODES: dict[str, Code] = {
    # The request as such.
    "bad_request": Code(400, "请求无法理解 / the request cannot be understood"),
    "malformed_json": Code(400, "不是合法的 JSON / not valid JSON"),
    "wrong_encoding": Code(
        400, "请求体须为不带 BOM 的 UTF-8 / the body must be UTF-8 without a byte order mark"
    ),
    "duplicate_key": Code(400, "JSON 对象中有重复的键 / a key occurs twice in an object"),
    "too_deep": Code(400, "JSON 嵌套超过 20 层 / nested deeper than 20 levels"),
    "forbidden_character": Code(
        400, "文本中有 NUL 或不成对的代理字符 / a text holds NUL or a lone surrogate"
    ),
    "invalid": Code(400, "请求内容有误，未保存任何数据 / the content is wrong, nothing was saved"),
    "unknown_parameter": Code(400, "未知或重复的查询参数 / unknown or repeated query parameter"),
    "idempotency_key_missing": Code(
        400,
        "变动资金的请求须带 Idempotency-Key / what moves money needs an Idempotency-Key",
    ),
    "idempotency_key_invalid": Code(
        400,
        "Idempotency-Key 须为 16–255 个字符 A–Z a–z 0–9 _ - . : / Idempotency-Key is 16 to 255 of these",
    ),
    "body_too_large": Code(413, "请求体超过上限 / the body is above the limit"),
    "too_many_items": Code(
        400,
        "最多 10000 条，更大的请用 POST imports/ 上传文件"
        " / at most 10,000 items: upload a file with POST imports/ for more",
    ),
    "unsupported_media_type": Code(
        415,
        "只接受 application/json，UTF-8，不压缩 / application/json in UTF-8 only, not compressed",
    ),
    "not_acceptable": Code(406, "只提供 application/json / answers are application/json only"),
    "method_not_allowed": Code(405, "此地址不支持该方法 / the method is not for this address"),
    "not_found": Code(
        404, "没有此地址或记录，或不在授权范围内 / no such address or record in your scope"
    ),
    # Who asks.
    "no_token": Code(401, "须出示访问令牌 / an access token is required"),
    "token_invalid": Code(
        401,
        "访问令牌无效、已过期或客户端已停用 / the token is unknown, expired, or its client closed",
    ),
    "certificate_required": Code(
        401,
        "该客户端须经可信代理出示登记的证书"
        " / this client must present its registered certificate through a trusted proxy",
    ),
    "not_permitted": Code(403, "令牌没有此项权限 / the token lacks the scope for this"),
    "signature_missing": Code(401, "此客户端的资金请求须签名 / this client signs what moves money"),
    "signature_malformed": Code(
        401,
        "签名头无法解析，或未覆盖规定的部分 / the signature cannot be read or does not cover what it must",
    ),
    "signature_key_unknown": Code(
        401, "签名密钥未登记或已失效 / the signing key is unknown or ended"
    ),
    "signature_invalid": Code(401, "签名与报文不符 / the signature does not fit the message"),
    "signature_expired": Code(
        401,
        "签名已过期、尚未生效或有效期过长 / the signature is expired, of the future or too long",
    ),
    "digest_missing": Code(401, "缺少 Content-Digest / Content-Digest is missing"),
    "digest_mismatch": Code(
        401, "Content-Digest 与请求体不符 / Content-Digest does not fit the body"
    ),
    "signature_replayed": Code(401, "该签名已使用过 / this signature was used before"),
    # The same again, and too much.
    "idempotency_key_reused": Code(
        422,
        "该 Idempotency-Key 已用于内容不同的请求 / the key was used for another request",
    ),
    "busy": Code(
        409,
        "相同或相关的请求正在处理，请稍后重试 / the same or a related request is under way: retry",
    ),
    "too_many_requests": Code(
        429, "请求过于频繁，请按 Retry-After 重试 / too many requests: see Retry-After"
    ),
    "refused_content": Code(
        422,
        "内容不符合业务规则或引用了不存在的记录，未保存任何数据"
        " / the content breaks a rule or names what there is not; nothing was saved",
    ),
    # Our side.
    "unavailable": Code(
        503, "数据库暂不可用，请按 Retry-After 重试 / the database is away: see Retry-After"
    ),
    "failed": Code(500, "系统内部错误，已记录 / an error of ours; it is recorded"),
}
