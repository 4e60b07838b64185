import { Global, Module } from '@nestjs/common';
import { RawFaces } from './raw-routes.js';

/** Owns the list of routes that answer to the byte, and how they are mounted; knows none of them. */
@Global()
@Module({ providers: [RawFaces], exports: [RawFaces] })
export class RawFacesModule {}
